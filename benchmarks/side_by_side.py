"""Contenders measured side by side: each in a process of its own, taking turns, compared pair by pair.

A contender is a program that reads questions, one a line, and answers each with a line of JSON. In every
round all of them are started anew and asked the same questions in turn, so that what one machine does at one
moment (and what one process happens to be like) meets all of them alike. Ratios are taken within a round; the
median over the rounds is what a table shows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple

PAUSE = 0.05  # seconds between two measurements: thread pools spin for a while when their work is done

Answers = dict[str, list[dict[str, Any]]]
"""By contender, one answer a round."""


class Program(NamedTuple):
    """A Python program: its arguments, the interpreter it runs in, the folder it runs from, and variables."""

    arguments: Sequence[str]
    python: str | Path = sys.executable
    folder: Path | None = None
    variables: Mapping[str, str] = MappingProxyType({})


class Contender:
    """A running program that answers questions."""

    def __init__(self, program: Program):
        self._process = subprocess.Popen(
            [program.python, *program.arguments],
            cwd=program.folder,
            env=os.environ | program.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
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
    programs: Mapping[str, Program], questions: Iterable[str], rounds: int
) -> dict[str, Answers]:
    """Ask each program each question in each round, and return the answers. The order alternates by round."""
    questions = list(questions)
    answers: dict[str, Answers] = {question: {name: [] for name in programs} for question in questions}
    for number in range(rounds):
        running = {name: Contender(program) for name, program in programs.items()}
        order = list(running) if number % 2 == 0 else list(reversed(running))
        for question in questions:
            for name in order:
                time.sleep(PAUSE)
                answers[question][name].append(running[name].ask(question))
        for contender in running.values():
            contender.stop()
    return answers


def times(answers: Answers, name: str) -> list[float]:
    return [answer["ms"] for answer in answers[name]]


def ratio(answers: Answers, name: str, *others: str) -> float:
    """The median over the rounds of a contender's time by that of the fastest of the others."""
    fastest = (
        map(min, *(times(answers, other) for other in others)) if others[1:] else times(answers, *others)
    )
    return median(mine / theirs for mine, theirs in zip(times(answers, name), fastest, strict=True))
