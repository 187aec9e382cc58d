"""Every error a person may see, classified by who can mend it.

MedleyError
├── FileError         a file is wrong: its author mends it (exit code 2)
│   ├── StudyError        the study file
│   └── SiteError         the hospital's file or folder
├── PrivacyRefusal    the hospital declines: code and sentence may leave it, nothing else
├── ReplyRejected     the server declines a hospital's reply
└── RunError          the work failed (exit code 1)
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One fault: ``file: place: rule``, and what to do about it; never a patient's value."""

    file: str
    place: str
    rule: str
    remedy: str = ""

    def __str__(self) -> str:
        text = ": ".join(part for part in (self.file, self.place, self.rule) if part)
        return f"{text} ({self.remedy})" if self.remedy else text


class MedleyError(Exception):
    """The root; its text is ours and safe to show where the error was raised."""


class FileError(MedleyError):
    """A file breaks its rules; carries every problem found in it, not just the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class StudyError(FileError):
    """The study file is wrong."""


class SiteError(FileError):
    """The hospital's file or data folder is wrong."""


class PrivacyRefusal(MedleyError):
    """The hospital refuses a task; ``code`` is for programs, ``sentence`` for people."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


class ReplyRejected(MedleyError):
    """The server does not accept a hospital's reply."""


class RunError(MedleyError):
    """The work cannot go on; the sentence says what was kept."""
