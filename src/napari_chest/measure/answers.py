"""What readers answered to the same questions, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari_chest.model import Question, Reading

    Answers = Mapping[str, tuple[str, ...] | None]

YES, NO = "yes", "no"


@dataclass(frozen=True)
class AnswerAgreement:
    """What readers answered to one question about a case.

    A question that allows several choices is told as a whole, where only the same set of choices is
    the same answer, and choice by choice with yes and no.

    Attributes
    ----------
    question : its topic; of one choice ``topic · choice``.
    answers : per reader the answer, several joined by `` + ``; None where the reader answered
        nothing, or could not have chosen this.
    """

    question: str
    answers: Mapping[str, str | None]

    @property
    def same(self) -> bool | None:
        """Whether all who answered say the same; None where fewer than two did."""
        given = [answer for answer in self.answers.values() if answer is not None]
        return len(set(given)) == 1 if len(given) > 1 else None


def answer_agreements(
    readings: Sequence[Reading], questions: Sequence[Question] = ()
) -> tuple[AnswerAgreement, ...]:
    """What readers answered to every question that any of them answered.

    Parameters
    ----------
    readings : of one case; answers by the questions' keys or their topics.
    questions : of the dataset. They tell which keys ask the same, and which choices there are.
    """
    topics = {question.key: question.topic for question in questions}
    keys = dict.fromkeys(key for reading in readings for key in reading.answers)
    found: list[AnswerAgreement] = []
    for topic in dict.fromkeys(topics.get(key, key) for key in keys):
        asked = {
            r.reader: [key for key in r.answers if topics.get(key, key) == topic] for r in readings
        }
        given = {r.reader: _given(r, asked[r.reader]) for r in readings}
        if any(given.values()):
            found.append(AnswerAgreement(topic, {name: _joined(a) for name, a in given.items()}))
            found += _by_choice(topic, given, asked, questions)
    return tuple(found)


def _given(reading: Reading, keys: Iterable[str]) -> tuple[str, ...] | None:
    answers = tuple(choice for key in keys for choice in reading.answers[key])
    return answers or None


def _joined(answers: Sequence[str] | None) -> str | None:
    # In which order several answers were given means nothing.
    return " + ".join(sorted(answers)) if answers else None


def _by_choice(
    topic: str,
    given: Answers,
    asked: Mapping[str, Sequence[str]],
    questions: Sequence[Question],
) -> list[AnswerAgreement]:
    """Yes and no to every choice that two readers could have made."""
    mine = [question for question in questions if question.topic == topic]
    if not any(question.several for question in mine):
        return []
    all_choices = tuple(dict.fromkeys(choice for one in mine for choice in one.choices))
    choices = {
        name: _choices([one for one in mine if one.key in keys]) or all_choices
        for name, keys in asked.items()
    }
    found = []
    for choice in all_choices:
        says = {
            name: (YES if choice in said else NO) if said and choice in choices[name] else None
            for name, said in given.items()
        }
        if sum(choice in own for own in choices.values()) > 1:
            found.append(AnswerAgreement(f"{topic} · {choice}", says))
    return found


def _choices(questions: Iterable[Question]) -> tuple[str, ...]:
    return tuple(choice for question in questions for choice in question.choices)
