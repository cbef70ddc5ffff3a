"""Fit the last column of a CSV file with an MLP and Adam: python examples/recipes/mlp_on_csv.py [URL]."""

import sys
from pathlib import Path

import numpy as np
from rich.progress import track
from sklearn.neural_network import MLPRegressor

from deltawire import Client, Network, optim

table = np.loadtxt(Path(__file__).parent / "friedman.csv", delimiter=",", skiprows=1)
table = (table - table.mean(axis=0)) / table.std(axis=0)
features, target = table[:, :-1], table[:, -1]
train, test = slice(0, 400), slice(400, None)

net = Network()
x, y = net.input("x", shape=(5,)), net.input("y", shape=(1,))
hidden = net.layer("relu", net.layer("linear", x, units=64))
hidden = net.layer("relu", net.layer("linear", hidden, units=64))
guess = net.layer("linear", hidden, units=1, name="guess")
net.loss = net.layer("squared_error", guess, y)

client = Client(*sys.argv[1:])  # without a URL, the service runs in this process
params = client.init(net, seed=0)
optimizer = optim.adam(learning_rate=2e-3, schedule=optim.schedules.cosine(T_max=200 * 10))
data = {"x": features[train], "y": target[train, np.newaxis]}
optim.fit(client, net, params, data, optimizer, epochs=track(range(200), "epochs"), batch_size=40)

guessed = client.forward(net, params, {"x": features[test]}, [guess])["guess"][:, 0]
error = np.sqrt(np.mean((guessed - target[test]) ** 2))
theirs = MLPRegressor(
    hidden_layer_sizes=(64, 64), learning_rate_init=2e-3, batch_size=40, max_iter=200, random_state=0
)
theirs.fit(features[train], target[train])
expected = np.sqrt(np.mean((theirs.predict(features[test]) - target[test]) ** 2))
print(
    f"error on held-out rows: {error:.3f}, scikit-learn's {expected:.3f}, the mean's {target[test].std():.3f}"
)
if error > 1.05 * expected:
    sys.exit("the error is more than 5 % above scikit-learn's")
