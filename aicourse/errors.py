"""Every error this package raises on purpose.

    AicourseError
    ├── CatalogError              a provider or model that the catalogue does not know
    ├── ProviderError             the provider cannot be used as configured
    │   ├── KeyMissing            no key is set
    │   ├── KeyRejected           the provider answered 401 or 403
    │   ├── SettingRefused        the model does not do what a setting of the call asks for
    │   └── ProviderUnreachable   no connection
    ├── BudgetExceeded            the next call could cost more than is left
    ├── RecordingError
    │   └── RecordingMissing      replay only, and this request was never recorded
    ├── DownloadError             a model file could not be fetched
    │   └── HashMismatch          it was fetched and is not the file we asked for
    ├── ServerError               the embedded model's server did not start or answer
    ├── DatasetError              a dataset is missing, broken or not for you
    ├── PromptError               a prompt file is missing, broken, frozen or wrongly filled in
    ├── PhotoError                a file is no picture that can be shown to a model
    ├── EvaluationError           an evaluation set or a run is missing, broken or does not fit
    ├── StoreError                the product's database cannot be opened, or is from a newer version
    ├── FeedbackError             feedback cannot be kept, sampled or estimated from as asked
    ├── MonitoringError           metrics, rules of alerts or simulated traffic cannot be read as asked
    ├── RetrievalError            documents, an index or what answers from them cannot be used as asked
    ├── AgentError                tools, an agent's limits or scenarios cannot be used as asked
    │   └── ToolRefused           a tool does not do what it was asked to, by its own rules
    ├── ExperimentError           an experiment's file, log or outcomes are missing, broken or do not fit
    ├── AssignmentError           a master notebook, its checks file or a homework's name is wrong
    ├── SubmissionError           a submission cannot be read or matched to its assignment
    ├── SandboxError              student code cannot be run as protected as asked for
    ├── GradingError              results, gradebook or feedback cannot be read or written
    ├── ExerciseError             an exercise id or its checks file is wrong
    └── LessonError               a lesson is unknown, failed or breaks a rule

Each message says what is wrong and ends with what to do; each error carries the data it speaks of
as keyword attributes, so that a caller need not parse the message. Command-line users see the
message alone, never a traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError


class AicourseError(Exception):
    """Base of the tree: `str(error)` is a sentence for the user.

    >>> error = AicourseError("No lesson 99. List them with: aicourse status", lesson="99")
    >>> error.lesson
    '99'
    """

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data

    def _render_traceback_(self) -> list[str]:
        # what IPython shows instead of a traceback: our sentence says more than thirty frames of libraries
        return [f"{type(self).__name__}: {self.message}"]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["data"][name]
        except KeyError:
            raise AttributeError(name) from None


class Interrupted(KeyboardInterrupt):
    """A live call that the user stopped: an interrupt, told in one line without the libraries' frames."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [f"{type(self).__name__}: {self}"]


class CatalogError(AicourseError):
    """A provider or model that the catalogue does not know."""


class ProviderError(AicourseError):
    """The provider cannot be used as configured."""


class KeyMissing(ProviderError):
    """No key is set for the provider."""


class KeyRejected(ProviderError):
    """The provider does not accept the key."""


class SettingRefused(ProviderError):
    """The model does not do what a setting of the call asks for; carries `model` and `setting`."""


class ProviderUnreachable(ProviderError):
    """No connection to the provider."""


class BudgetExceeded(AicourseError):
    """The next call could cost more than is left; carries `spent`, `budget` and `estimate` (Decimal, USD)."""


class RecordingError(AicourseError):
    """The recordings of a lesson cannot be read or written."""


class RecordingMissing(RecordingError):
    """Replay only, and this request was never recorded; carries `lesson`, `request` and `nearest`."""


class DownloadError(AicourseError):
    """A model file could not be fetched; carries `model` and `tried`."""


class HashMismatch(DownloadError):
    """The bytes that arrived are not the file that was asked for."""


class ServerError(AicourseError):
    """The embedded model's server did not start or answer."""


class DatasetError(AicourseError):
    """A dataset is missing, broken, or not for the caller."""


class PromptError(AicourseError):
    """A prompt file is missing, broken, frozen, or wrongly filled in."""


class PhotoError(AicourseError):
    """A file is no picture that can be shown to a model."""


class EvaluationError(AicourseError):
    """An evaluation set or a run is missing, broken, or does not fit what is asked of it."""


class StoreError(AicourseError):
    """The product's database cannot be opened, or its tables are not those that this version knows."""


class FeedbackError(AicourseError):
    """Feedback or annotations cannot be kept, sampled, or estimated from as asked."""


class MonitoringError(AicourseError):
    """Metrics, rules of alerts, or the traffic of production cannot be read as asked."""


class RetrievalError(AicourseError):
    """Documents, an index or what answers from them cannot be used as asked."""


class AgentError(AicourseError):
    """Tools, an agent's limits or scenarios cannot be used as asked."""


class ToolRefused(AgentError):
    """A tool does not do what it was asked to, by its own rules: the model reads the sentence as a result."""


class ExperimentError(AicourseError):
    """An experiment's file, its log or its outcomes are missing, broken, or do not fit each other."""


class AssignmentError(AicourseError):
    """A master notebook, its checks file, or a homework's name is wrong."""


class SubmissionError(AicourseError):
    """A submission cannot be read, or not matched to its assignment."""


class SandboxError(AicourseError):
    """Student code cannot be run as protected as asked for; carries `level` and `found`."""


class GradingError(AicourseError):
    """Results, gradebook or feedback cannot be read or written."""


class ExerciseError(AicourseError):
    """An exercise id or its checks file is wrong."""


class LessonError(AicourseError):
    """A lesson is unknown, failed, or breaks a rule."""


def first_problem(error: ValidationError, whole: str = "") -> str:
    """The first thing that pydantic found wrong with a form, in words that name the field, or the `whole`."""
    problem = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, problem["loc"])) or whole
    told = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {told}" if where else told
