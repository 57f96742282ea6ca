"""Every error that Stepwell raises on purpose.

    StepwellError
    |-- ScheduleError          a schedule text that cannot be read, or a schedule that cannot be
    |   |-- HorizonError       the phases do not fit the run
    |   `-- OverrunError       a curve was asked for a step outside its run
    |-- ResumeError            a saved state that does not belong here
    |-- OptimizerError         an unknown optimizer, or parameter groups that contradict themselves
    |-- TaskError              an unknown task, or one that cannot be trained as it is
    |-- OptionError            a value that an option or an argument cannot take
    |-- EngineError            the machinery that runs trials broke, not the trial
    |-- StoreError             a run store that cannot be opened, read or written
    |   |-- ClaimedError       another process writes this run
    |   |-- NewerStoreError    written by a newer Stepwell
    |   `-- ForeignFileError   not a run store, or a damaged one; never overwritten
    |-- ContentError           a course whose content cannot be read, or is not true when it is run
    |-- AnswerError            an answer that is not of the form its question takes
    |-- OutputError            a picture or report that cannot be written
    `-- MissingExtraError      an optional package is not installed; names the command to type

A message is one sentence a user can act on: what was expected, what came, what to type. The command line prints it
and exits with 2. How a training run ended is not an error but an `Outcome`.
"""


class StepwellError(Exception):
    """The root: catch it to catch everything that Stepwell raises on purpose."""


class ScheduleError(StepwellError):
    """A schedule text that cannot be read, or a schedule that cannot be."""


class HorizonError(ScheduleError):
    """The phases of a schedule do not fit the run."""


class OverrunError(ScheduleError):
    """A curve was asked for a step outside its run."""


class ResumeError(StepwellError):
    """A saved state that does not belong to this schedule, run or optimizer."""


class OptimizerError(StepwellError):
    """An unknown optimizer, or parameter groups that contradict themselves."""


class TaskError(StepwellError):
    """An unknown task, or one that cannot be trained as it is."""


class OptionError(StepwellError):
    """A value that an option or an argument cannot take."""


class EngineError(StepwellError):
    """The machinery that runs trials broke, not the trial."""


class StoreError(StepwellError):
    """A run store that cannot be opened, read or written."""


class ClaimedError(StoreError):
    """Another process writes this run."""


class NewerStoreError(StoreError):
    """The store was written by a newer Stepwell."""


class ForeignFileError(StoreError):
    """The file is not a run store, or it is damaged. It is never overwritten."""


class ContentError(StepwellError):
    """The content of a course cannot be read, or is not true when it is run."""


class AnswerError(StepwellError):
    """An answer is not of the form that its question takes."""


class OutputError(StepwellError):
    """A picture or report that cannot be written."""


class MissingExtraError(StepwellError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f'{purpose} needs {package}; type: pip install "stepwell[{extra}]"')
