"""Remember the first number of sequences of any length: python examples/recipes/lstm_with_padding.py [URL].

Sequences are padded to one length. A row of 0 and 1 picks the state at the last real place.
"""

import sys

import numpy as np
from rich.progress import track

from deltawire import Client, Network, optim

PLACES = 10
stream = np.random.default_rng(0)


def batch(count):
    lengths = stream.integers(2, PLACES + 1, count)
    x = stream.normal(size=(count, PLACES, 1))  # noise after the end: it must not matter
    last = np.eye(PLACES)[lengths - 1][:, np.newaxis]
    return {"x": x, "last": last, "y": (x[:, 0, 0] > 0).astype(int)}


net = Network()
x, last = net.input("x", shape=(PLACES, 1)), net.input("last", shape=(1, PLACES))
states = net.layer("lstm", x, units=12)
state = (last @ states)[0]  # (1, places) times (places, units), and its only row
scores = net.layer("linear", state, units=2, name="scores")
net.loss = net.layer("softmax_nll", scores, net.input("y", dtype="int64"))

client = Client(*sys.argv[1:])  # without a URL, the service runs in this process
params = client.init(net, seed=0)
optimizer = optim.adam(learning_rate=0.02)
for _ in track(range(300), "training"):
    loss, gradients = client.value_and_grad(net, params, batch(64))
    optimizer.step(params, gradients)

unseen = batch(1000)
guessed = client.forward(net, params, {"x": unseen["x"], "last": unseen["last"]})["scores"].argmax(axis=1)
right = np.mean(guessed == unseen["y"])
print(f"right for {right:.1%} of unseen sequences")
if right < 0.95:
    sys.exit("the first number is not remembered")
