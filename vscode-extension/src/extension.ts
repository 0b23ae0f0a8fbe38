// Starts the language server, passes the workspace's trust to it and shows how it is. What is known about kernels is in the server.
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import * as path from 'node:path';
import {
  commands,
  type ExtensionContext,
  type LogOutputChannel,
  StatusBarAlignment,
  type StatusBarItem,
  type TextDocumentContentProvider,
  ThemeColor,
  Uri,
  window,
  workspace,
} from 'vscode';
import { LanguageClient, RevealOutputChannelOn, State } from 'vscode-languageclient/node';
import { CANDIDATE_SCHEME, Candidates, showsCandidates } from './candidates';

const SETTING = 'pixelLsp.serverCommand';
const REPORT = 'pixel-lsp.report';
const REPORT_SCHEME = 'pixel-lsp-report';
const INSTALL = 'pipx install .';
const SHADERS_AND_CONTRACTS = [
  { scheme: 'file', language: 'wgsl' },
  { scheme: 'file', pattern: '**/*.contract.toml' },
];

let client: LanguageClient | undefined;
let turn = Promise.resolve(); // starts and stops wait for each other
const candidates = new Candidates(() => client);

export async function activate(context: ExtensionContext): Promise<void> {
  const output = window.createOutputChannel('pixel-lsp', { log: true });
  const status = window.createStatusBarItem('pixel-lsp.status', StatusBarAlignment.Right, 0);
  status.name = status.text = 'pixel-lsp';
  status.command = 'pixel-lsp.showOutput';
  status.show();

  const restart = () => (turn = turn.then(stop).then(() => start(output, status)));
  context.subscriptions.push(
    output,
    status,
    workspace.registerTextDocumentContentProvider(REPORT_SCHEME, reports),
    workspace.registerTextDocumentContentProvider(CANDIDATE_SCHEME, candidates),
    commands.registerCommand('pixel-lsp.restart', restart),
    commands.registerCommand('pixel-lsp.showOutput', () => output.show()),
    workspace.onDidChangeConfiguration(change => change.affectsConfiguration(SETTING) && restart()),
    workspace.onDidGrantWorkspaceTrust(async () => {
      await turn;
      if (client?.state !== State.Running) return;
      await client.sendNotification('pixelLsp/didGrantTrust');
      showState(status, client.state);
    }),
  );
  await restart();
}

export async function deactivate(): Promise<void> {
  await (turn = turn.then(stop));
}

async function start(output: LogOutputChannel, status: StatusBarItem): Promise<void> {
  const [program = '', ...args] = workspace.getConfiguration().get<string[]>(SETTING, []);
  const command = await findProgram(program);
  if (command === undefined) {
    showState(status, State.StartFailed);
    void offerInstallation(program, output);
    return;
  }
  output.info(`starting ${[command, ...args].join(' ')}`);
  client = new LanguageClient('pixelLsp', 'pixel-lsp', { command, args }, {
    documentSelector: SHADERS_AND_CONTRACTS,
    initializationOptions: () => ({ trusted: workspace.isTrusted }),
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    middleware: {
      // The command palette gives no arguments: it means the file that is open.
      executeCommand: (name, given, next) => {
        const done = candidates.execute(name, given, next);
        if (done !== undefined) return done;
        const meant: unknown[] = given.length ? given : openFile();
        return name === REPORT ? showReport(meant) : next(name, meant);
      },
    },
  });
  client.registerFeature(showsCandidates);
  candidates.listen(client);
  client.onDidChangeState(({ newState }) => showState(status, newState));
  // The client itself shows why it could not start.
  await client.start().catch((error: unknown) => output.error(String(error)));
}

async function stop(): Promise<void> {
  const stopped = client;
  client = undefined;
  await stopped?.dispose().catch(() => undefined); // a server that never started cannot be stopped either
}

/** An absolute path, so that no file of the opened folder is ever taken for the server: Windows looks there before it looks at PATH. */
async function findProgram(name: string): Promise<string | undefined> {
  const folders = path.isAbsolute(name) ? [''] : (process.env.PATH ?? '').split(path.delimiter).filter(path.isAbsolute);
  if (name === '' || (!path.isAbsolute(name) && path.basename(name) !== name)) return undefined;
  const suffixes = process.platform === 'win32' ? ['.exe', ''] : [''];
  for (const candidate of folders.flatMap(folder => suffixes.map(suffix => path.join(folder, name + suffix)))) {
    if (await access(candidate, constants.X_OK).then(() => true, () => false)) return candidate;
  }
  return undefined;
}

async function offerInstallation(program: string, output: LogOutputChannel): Promise<void> {
  const why = `The server '${program}' is neither a program on PATH nor an absolute path to one.`;
  output.error(why);
  const answer = await window.showErrorMessage(`${why} Run \`${INSTALL}\` in a clone of pixel-lsp, or name the server in ${SETTING}.`, 'Try Again', 'Open Settings');
  if (answer === 'Try Again') await commands.executeCommand('pixel-lsp.restart');
  if (answer === 'Open Settings') await commands.executeCommand('workbench.action.openSettings', SETTING);
}

/** The report of a shader as a read-only document, which asks the server when it is opened. */
const reports: TextDocumentContentProvider = {
  provideTextDocumentContent: async ({ query }) =>
    JSON.stringify((await client?.sendRequest('pixelLsp/report', { uri: query })) ?? 'There is no report.', undefined, 2),
};

async function showReport([shader]: unknown[]): Promise<void> {
  if (typeof shader !== 'string') return;
  const name = path.posix.basename(Uri.parse(shader).path);
  await window.showTextDocument(Uri.from({ scheme: REPORT_SCHEME, path: `${name}.report.json`, query: shader }));
}

function openFile(): string[] {
  const document = window.activeTextEditor?.document;
  return document ? [document.uri.toString()] : [];
}

function showState(status: StatusBarItem, state: State): void {
  const isUp = state === State.Running;
  const isStarting = state === State.Starting;
  status.text = isUp ? `$(${workspace.isTrusted ? 'check' : 'shield'}) pixel-lsp` : isStarting ? '$(sync~spin) pixel-lsp' : '$(error) pixel-lsp';
  status.backgroundColor = isUp || isStarting ? undefined : new ThemeColor('statusBarItem.errorBackground');
  status.tooltip = !isUp ? 'The server is not running' : workspace.isTrusted ? 'Kernels run on save' : 'Restricted Mode: kernels do not run, syntax and contracts are checked';
}
