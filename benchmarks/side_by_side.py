"""Contenders measured side by side: each in a process of its own, taking turns, compared pair by pair.

A contender is a program that reads questions, one a line, and answers each with a line of JSON. In every
round all of them are started anew and asked the same questions in turn, so that what one machine does at one
moment (and what one process happens to be like) meets all of them alike. Ratios are taken within a round; the
median over the rounds is what a table shows.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

PAUSE = 0.05  # seconds between two measurements: thread pools spin for a while when their work is done

Answers = dict[str, list[dict[str, Any]]]
"""By contender, one answer a round."""


class Contender:
    """A running program that answers questions."""

    def __init__(self, command: Sequence[str]):
        self._process = subprocess.Popen(
            [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, question: str) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args} ended, with status {self._process.wait()}, at {question}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        self._process.communicate()


def side_by_side(
    commands: Mapping[str, Sequence[str]], questions: Iterable[str], rounds: int
) -> dict[str, Answers]:
    """What each contender answers to each question, in each round. Their order turns around every round."""
    questions = list(questions)
    found: dict[str, Answers] = {question: {name: [] for name in commands} for question in questions}
    for number in range(rounds):
        running = {name: Contender(command) for name, command in commands.items()}
        order = list(running) if number % 2 == 0 else list(reversed(running))
        for question in questions:
            for name in order:
                time.sleep(PAUSE)
                found[question][name].append(running[name].ask(question))
        for contender in running.values():
            contender.stop()
    return found


def times(answers: Answers, name: str) -> list[float]:
    return [answer["ms"] for answer in answers[name]]


def ratio(answers: Answers, name: str, *others: str) -> float:
    """The median over the rounds of a contender's time by that of the fastest of the others."""
    fastest = (
        map(min, *(times(answers, other) for other in others)) if others[1:] else times(answers, *others)
    )
    return median(mine / theirs for mine, theirs in zip(times(answers, name), fastest, strict=True))
