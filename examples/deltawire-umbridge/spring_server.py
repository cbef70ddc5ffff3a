"""Serve a damped spring by UM-Bridge: its place at eight times, from its damping and its stiffness.

python spring_server.py 4242
"""

import sys
from functools import partial
from math import cos, exp, sin, sqrt

import umbridge
from aiohttp import web

TIMES = [0.5 * step for step in range(1, 9)]


class Spring(umbridge.Model):
    """u(t) = exp(−c t) cos(√k t), by c and k > 0."""

    def __init__(self):
        super().__init__("spring")

    def get_input_sizes(self, config):
        return [2]

    def get_output_sizes(self, config):
        return [len(TIMES)]

    def supports_evaluate(self):
        return True

    def supports_gradient(self):
        return True

    def __call__(self, parameters, config):
        damping, stiffness = parameters[0]
        return [[exp(-damping * t) * cos(sqrt(stiffness) * t) for t in TIMES]]

    def gradient(self, out_wrt, in_wrt, parameters, sens, config):
        damping, stiffness = parameters[0]
        w = sqrt(stiffness)
        by_damping = (-t * exp(-damping * t) * cos(w * t) * s for t, s in zip(TIMES, sens, strict=True))
        by_stiffness = (
            -t / (2 * w) * exp(-damping * t) * sin(w * t) * s for t, s in zip(TIMES, sens, strict=True)
        )
        return [sum(by_damping), sum(by_stiffness)]


if __name__ == "__main__":
    # umbridge listens on every address, and takes no other: this server is for its own machine alone.
    web.run_app = partial(web.run_app, host="127.0.0.1")
    umbridge.serve_models([Spring()], int(sys.argv[1]))
