"""Fool a classifier of handwritten digits: python examples/recipes/fgsm.py [URL].

The fast gradient sign method moves every pixel by the same small amount, in the direction in which the loss
grows. Source: Goodfellow et al., "Explaining and Harnessing Adversarial Examples", ICLR 2015.
"""

import sys

import numpy as np
from rich.progress import track
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from deltawire import Client, Network, optim

pixels, digits = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(pixels / 16, digits, random_state=0)

net = Network()
x, y = net.input("x", shape=(64,)), net.input("y", dtype="int64")
scores = net.layer("linear", net.layer("relu", net.layer("linear", x, units=64)), units=10, name="scores")
net.loss = net.layer("softmax_nll", scores, y)

client = Client(*sys.argv[1:])  # without a URL, the service runs in this process
params, optimizer = client.init(net, seed=0), optim.adam(learning_rate=0.01)
data = {"x": x_train, "y": y_train}
optim.fit(client, net, params, data, optimizer, epochs=track(range(15), "epochs"))


def accuracy(images):
    return (client.forward(net, params, {"x": images}, [scores])["scores"].argmax(axis=1) == y_test).mean()


slopes = client.gradients(net, params, {"x": x_test, "y": y_test}, wrt={"data": ["x"]}).data["x"]
noise = np.random.default_rng(0).choice([-1, 1], slopes.shape)
clean, random = accuracy(x_test), accuracy(x_test + 0.1 * noise)
fooled = accuracy(x_test + 0.1 * np.sign(slopes))
print(f"digits read right: {clean:.0%}")
print(f"with every pixel moved by 0.1: at random {random:.0%}, along the gradient {fooled:.0%}")
if not (clean > 0.95 and random > 0.9 and fooled < 0.5):
    sys.exit("the digits are not read, or not mistaken, as they should be")
