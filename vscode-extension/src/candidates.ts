// Shows what the coach made beside the file that it is for, and takes a person's yes and no. Nothing is written on a no.
import { basename } from 'node:path';
import {
  commands,
  TabInputTextDiff,
  type TextDocumentContentProvider,
  Uri,
  window,
  workspace,
} from 'vscode';
import type { LanguageClient, StaticFeature } from 'vscode-languageclient/node';

export const CANDIDATE_SCHEME = 'pixel-lsp-candidate';
const SHOW = 'pixel-lsp.coach.showCandidate';
const ACCEPT = 'pixel-lsp.coach.accept';
const REJECT = 'pixel-lsp.coach.reject';
const EDIT_FIRST = 'pixel-lsp.coach.editFirst';
const QUEUE = 'pixel-lsp.coach.queue';
const CANCEL = 'pixel-lsp.coach.cancel';

type Next = (name: string, given: unknown[]) => unknown;

/** The answer to `pixelLsp/candidate`, as far as it is used here. */
interface Candidate {
  task: number;
  attempt: number;
  title: string;
  path: string;
  uri: string;
  isNew: boolean;
  text: string;
}

/** What `pixelLsp/taskEnded` tells. */
interface TaskEnded {
  task: number;
  attempt: number | null;
  state: string;
  action: string;
  message: string;
}

/** Tells the server that candidates are shown here, so that it writes no diffs for us and leaves notifications to us. */
export const showsCandidates: StaticFeature = {
  fillClientCapabilities: capabilities => {
    capabilities.experimental = { ...(capabilities.experimental as object | undefined), pixelLsp: { candidates: true } };
  },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};

export class Candidates implements TextDocumentContentProvider {
  constructor(private readonly client: () => LanguageClient | undefined) {}

  /** The candidate's text; nothing for the left side of a file that is new. */
  async provideTextDocumentContent({ query }: Uri): Promise<string> {
    return query === '' ? '' : (await this.ask(JSON.parse(query) as [number, number]))?.text ?? '';
  }

  listen(client: LanguageClient): void {
    client.onNotification('pixelLsp/taskEnded', (told: TaskEnded) => void this.tell(told));
  }

  /** What a command does here; undefined when it is none of ours. */
  execute(name: string, given: unknown[], next: Next): Promise<unknown> | undefined {
    const meant = meantCandidate(given);
    switch (name) {
      case SHOW:
        return this.show(meant);
      case ACCEPT:
        return this.accept(meant, next);
      case REJECT:
        return this.reject(meant, next);
      case EDIT_FIRST:
        return this.editFirst(meant, next);
      case CANCEL: // from the palette: whatever runs
        return Promise.resolve(next(CANCEL, given));
      case QUEUE:
        return given.length === 0 ? this.queueWords(next) : undefined;
      default:
        return undefined;
    }
  }

  private async show(meant: unknown[]): Promise<void> {
    const candidate = await this.ask(meant);
    if (candidate === undefined) return;
    const { task, attempt, path, isNew, title } = candidate;
    const shown = Uri.from({ scheme: CANDIDATE_SCHEME, path: `/${path}`, query: JSON.stringify([task, attempt]) });
    const file = isNew ? shown.with({ query: '' }) : Uri.parse(candidate.uri);
    await commands.executeCommand('vscode.diff', file, shown, `${basename(path)} ↔ task ${task}: ${title}`);
  }

  private async accept(meant: unknown[], next: Next): Promise<unknown> {
    const candidate = await this.ask(meant);
    const answer = (await next(ACCEPT, meant)) as { applied?: boolean; state?: string } | null;
    if (candidate === undefined || !(answer?.applied || answer?.state === 'completed')) return answer;
    // Saving is what completes the task.
    await openDocument(candidate.uri)?.save();
    await closeDiff(candidate.task);
    return answer;
  }

  private async reject(meant: unknown[], next: Next): Promise<unknown> {
    const reason = await window.showInputBox({ title: 'Reject the candidate', prompt: 'What is wrong with it? The coach is told when it tries again.' });
    if (reason === undefined) return null;
    const answer = await next(REJECT, [meant[0], reason]);
    if (answer) await closeDiff(meant[0]);
    return answer;
  }

  private async editFirst(meant: unknown[], next: Next): Promise<unknown> {
    const candidate = await this.ask(meant);
    if (candidate === undefined) return null;
    await window.showTextDocument(Uri.parse(candidate.uri));
    const answer = await next(EDIT_FIRST, meant);
    if (answer) await closeDiff(candidate.task);
    return answer;
  }

  private async queueWords(next: Next): Promise<unknown> {
    const uri = window.activeTextEditor?.document.uri.toString();
    const title = await window.showInputBox({ title: 'Queue a task for the coach', prompt: 'What is to be done to this file?' });
    return uri !== undefined && title ? next(QUEUE, [{ uri, from: 'words', title }]) : null;
  }

  private async tell({ task, attempt, action, state, message }: TaskEnded): Promise<void> {
    const say = state === 'awaiting_acceptance' || action === 'review' ? window.showInformationMessage : window.showWarningMessage;
    const choices = attempt !== null && action !== 'review' ? ['Show'] : [];
    if ((await say(message, ...choices)) === 'Show') await this.show([task, attempt]);
  }

  private async ask([task, attempt]: unknown[]): Promise<Candidate | undefined> {
    try {
      return await this.client()?.sendRequest<Candidate>('pixelLsp/candidate', { task, attempt: attempt ?? null });
    } catch (error) {
      void window.showWarningMessage(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}

/** Buttons in an editor's title give its URI, the command palette nothing: both mean the candidate that is shown. */
function meantCandidate(given: unknown[]): unknown[] {
  if (typeof given[0] === 'number') return given;
  const uri = given[0] instanceof Uri ? given[0] : window.activeTextEditor?.document.uri;
  return uri?.scheme === CANDIDATE_SCHEME && uri.query !== '' ? (JSON.parse(uri.query) as unknown[]) : [];
}

function openDocument(uri: string) {
  return workspace.textDocuments.find(document => document.uri.toString() === Uri.parse(uri).toString());
}

async function closeDiff(task: unknown): Promise<void> {
  const tabs = window.tabGroups.all.flatMap(group => group.tabs);
  const shown = tabs.filter(({ input }) =>
    input instanceof TabInputTextDiff && input.modified.scheme === CANDIDATE_SCHEME && (JSON.parse(input.modified.query) as unknown[])[0] === task);
  await window.tabGroups.close(shown);
}
