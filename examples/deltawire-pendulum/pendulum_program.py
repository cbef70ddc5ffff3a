"""Simulate a pendulum: θ″ = −sin θ, by the method of Runge and Kutta, with its exact derivatives.

python pendulum_program.py states|jacobians SECONDS < starts > results

Starts are pairs (θ, θ′) of float64 in the machine's byte order. Results are pairs, or matrices of 2 × 2
numbers, ∂(state after)/∂(start), row by row.
"""

import sys
from array import array
from math import cos, sin

STEPS_PER_SECOND = 100


def simulate(angle: float, velocity: float, seconds: float) -> tuple[list[float], list[float]]:
    """Return the state after some seconds, and its derivatives by the start, both columns of them.

    Args:
        angle: θ at the start, in radians.
        velocity: θ′ at the start, in radians per second.
        seconds: how long to simulate.
    """
    steps = max(1, round(STEPS_PER_SECOND * seconds))
    h = seconds / steps
    numbers = [angle, velocity, 1.0, 0.0, 0.0, 1.0]  # the state, and its derivatives by θ and by θ′

    def slopes(at: list[float]) -> list[float]:
        torque, stiffness = -sin(at[0]), -cos(at[0])
        return [at[1], torque, at[3], stiffness * at[2], at[5], stiffness * at[4]]

    def moved(by: float, along: list[float]) -> list[float]:
        return [number + by * slope for number, slope in zip(numbers, along, strict=True)]

    for _ in range(steps):
        k1 = slopes(numbers)
        k2 = slopes(moved(h / 2, k1))
        k3 = slopes(moved(h / 2, k2))
        k4 = slopes(moved(h, k3))
        sums = (a + 2 * b + 2 * c + d for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
        numbers = moved(h / 6, list(sums))
    by_angle, by_velocity = numbers[2:4], numbers[4:6]
    return numbers[:2], [by_angle[0], by_velocity[0], by_angle[1], by_velocity[1]]


def main() -> None:
    """Read starts, and write what is asked for."""
    what, seconds = sys.argv[1], float(sys.argv[2])
    starts, results = array("d", sys.stdin.buffer.read()), array("d")
    for row in range(0, len(starts), 2):
        results.extend(simulate(starts[row], starts[row + 1], seconds)[what == "jacobians"])
    sys.stdout.buffer.write(results.tobytes())


if __name__ == "__main__":
    main()
