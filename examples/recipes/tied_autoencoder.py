"""Compress digits with one matrix used both ways: python examples/recipes/tied_autoencoder.py [URL]."""

import sys

import numpy as np
from rich.progress import track
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from deltawire import Client, Network, optim

images = load_digits().data / 16
train, test = images[:1200], images[1200:]

net = Network()
x = net.input("x", shape=(64,))
code = net.layer("linear", x, units=16, name="encoder")
decoded = net.layer("linear", code, units=64, name="decoder", tied_to="encoder", transpose=True)
net.loss = ((decoded - x) ** 2).sum()

client = Client(*sys.argv[1:])  # without a URL, the service runs in this process
params = client.init(net, seed=0)  # encoder.weight, encoder.bias, decoder.bias: the decoder has no weight
optimizer = optim.adam(learning_rate=0.003)
optim.fit(client, net, params, {"x": train}, optimizer, epochs=track(range(60), "epochs"), batch_size=60)

error = np.mean((client.forward(net, params, {"x": test}, [decoded])["decoder"] - test) ** 2)
pca = PCA(16).fit(train)  # the best that any linear code of 16 numbers can do
best = np.mean((pca.inverse_transform(pca.transform(test)) - test) ** 2)
print(f"squared error of unseen digits: {error:.4f}, that of PCA {best:.4f}")
if error > 1.1 * best:
    sys.exit("the code is more than 10 % worse than PCA's")
