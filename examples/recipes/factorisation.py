"""Recommend items from few ratings: python examples/recipes/factorisation.py [URL].

A rating is the dot product of a user's and an item's vector, both learned, plus noise.
"""

import sys

import numpy as np
from rich.progress import track

from deltawire import Client, Network, optim

USERS, ITEMS, WIDTH, NOISE = 60, 40, 3, 0.1
stream = np.random.default_rng(0)
ratings = stream.normal(size=(USERS, WIDTH)) @ stream.normal(size=(WIDTH, ITEMS))
user, item = np.divmod(stream.permutation(USERS * ITEMS), ITEMS)
rating = ratings[user, item] + NOISE * stream.normal(size=user.shape)
known, held_out = slice(0, 1200), slice(1200, None)  # half of all pairs

net = Network()
u, i, r = net.input("user", dtype="int64"), net.input("item", dtype="int64"), net.input("rating")
# Vectors drawn with variance 1 would begin with ratings as wrong as they are large, and overfit.
users = net.layer("embedding", u, rows=USERS, width=WIDTH, init_scale=0.1, name="users")
items = net.layer("embedding", i, rows=ITEMS, width=WIDTH, init_scale=0.1, name="items")
guess = net.layer("dot", users, items, name="guess")
net.loss = net.layer("squared_error", guess, r)

client = Client(*sys.argv[1:])  # without a URL, the service runs in this process
params = client.init(net, seed=0)
optimizer = optim.adam(learning_rate=0.02)
data = {"user": user[known], "item": item[known], "rating": rating[known]}
optim.fit(client, net, params, data, optimizer, epochs=track(range(400), "epochs"), batch_size=1200)

pairs = {"user": user[held_out], "item": item[held_out]}
guessed = client.forward(net, params, pairs, [guess])["guess"]
error = np.sqrt(np.mean((guessed - ratings[user, item][held_out]) ** 2))
print(f"error of unseen ratings: {error:.3f}; they spread by {ratings.std():.3f}, the noise is {NOISE}")
if error > NOISE:
    sys.exit("the vectors have not been found")
