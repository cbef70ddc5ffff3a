"""Read handwritten digits with a convolutional network: python examples/recipes/cnn_on_digits.py [URL]."""

import sys

import numpy as np
from rich.progress import track
from sklearn.datasets import load_digits

from deltawire import Client, Network, optim

digits, stream = load_digits(), np.random.default_rng(0)
order = stream.permutation(len(digits.target))  # several writers wrote one after the other
images, labels = digits.images[order, np.newaxis] / 16, digits.target[order]  # (n, 1 channel, 8, 8)

net = Network()
x, y = net.input("image", shape=(1, 8, 8)), net.input("digit", dtype="int64")
x = net.layer("relu", net.layer("conv2d", x, channels=8, kernel=3, padding=1))
x = net.layer("max_pool2d", x, kernel=2)
x = net.layer("relu", net.layer("conv2d", x, channels=16, kernel=3, padding=1))
x = net.layer("flatten", net.layer("max_pool2d", x, kernel=2))
scores = net.layer("linear", x, units=10, name="scores")
net.loss = net.layer("softmax_nll", scores, y)

client = Client(*sys.argv[1:])  # without a URL, the service runs in this process
print(net.summary(client, batch=60))
params = client.init(net, seed=0)
optimizer = optim.adam(learning_rate=0.005)
data = {"image": images[:1200], "digit": labels[:1200]}
optim.fit(client, net, params, data, optimizer, epochs=track(range(12), "epochs"), batch_size=60)

guessed = client.forward(net, params, {"image": images[1200:]})["scores"].argmax(axis=1)
right = np.mean(guessed == labels[1200:])
print(f"right for {right:.1%} of unseen digits")
if right < 0.95:
    sys.exit("the digits are not read")
