"""The exceptions of the coach.

PixelError
└── CoachError
    ├── QueueError            the queue refuses: an unknown task, a transition that is not in the table, a cycle
    │   └── LeaseLost         another coach has taken the task over, or a person has cancelled it
    ├── RefusedPath           a target that is protected, outside the workspace, or behind a link
    ├── StaleBase             the file changed since the patch was made from it
    ├── BudgetExhausted       the next request would go past a limit of dollars, requests or seconds
    └── AgentError            a model or its service did not answer as needed
        ├── AgentUnavailable  not installed, not running, no key, wrong key, unknown model
        ├── QuotaExceeded     too many requests for now or for today
        ├── PromptTooLong     the prompt does not fit the model's context
        ├── ReplyBlocked      a safety filter withheld the reply
        ├── ReplyCut          the reply ended before it was complete
        └── ReplyMalformed    the reply is not what its own format promises
"""

from __future__ import annotations

from pixel_core.errors import PixelError


class CoachError(PixelError):
    """Base of every exception that the coach raises on purpose."""


class QueueError(CoachError):
    """The queue refuses what was asked."""


class LeaseLost(QueueError):  # noqa: N818 - what happened, in the words of the queue
    """Another coach has taken the task over, or a person has cancelled it."""


class RefusedPath(CoachError):  # noqa: N818
    """A path that the coach must not write."""


class StaleBase(CoachError):  # noqa: N818
    """The file is no longer the one that the patch was made from."""


class BudgetExhausted(CoachError):  # noqa: N818
    """The next request would go past a limit.

    Args:
        message: One sentence for the user.
        hint: What the user can do about it.
        retry_after_s: When the limit begins anew, for those of a minute or a day; None for those of a task.
    """

    def __init__(self, message: str, *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class AgentError(CoachError):
    """A model or its service did not answer as needed.

    Args:
        message: One sentence for the user.
        hint: What the user can do about it.
        retry_after_s: When asking again may help; None when it would not.
        prompt_tokens: Of this request, as far as the service counted them before it failed: they are billed all the same.
        reply_tokens: Likewise, thinking included.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retry_after_s: float | None = None,
        prompt_tokens: int = 0,
        reply_tokens: int = 0,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
        self.prompt_tokens = prompt_tokens
        self.reply_tokens = reply_tokens


class AgentUnavailable(AgentError):  # noqa: N818
    """Not installed, not running, no key, a wrong key, or an unknown model."""


class QuotaExceeded(AgentError):  # noqa: N818
    """Too many requests: for now when `retry_after_s` is given, for today otherwise."""


class PromptTooLong(AgentError):  # noqa: N818
    """The prompt does not fit the model's context."""


class ReplyBlocked(AgentError):  # noqa: N818
    """A safety filter withheld the reply."""


class ReplyCut(AgentError):  # noqa: N818
    """The reply ended before it was complete."""


class ReplyMalformed(AgentError):  # noqa: N818
    """The reply is not what its own format promises."""
