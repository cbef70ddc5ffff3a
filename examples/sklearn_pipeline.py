"""Classify handwritten digits in a scikit-learn pipeline: python examples/sklearn_pipeline.py [URL]."""

import sys

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deltawire.integrations.sklearn import GradientServiceClassifier

pixels, digits = load_digits(return_X_y=True)
training, held_out, digits_of_training, digits_held_out = train_test_split(pixels, digits, random_state=0)
pipeline = make_pipeline(
    StandardScaler(),
    GradientServiceClassifier(
        hidden_layer_sizes=(32,),
        epochs=20,
        random_state=0,
        url=sys.argv[1] if len(sys.argv) > 1 else None,  # without a URL, the service runs in this process
    ),
)
pipeline.fit(training, digits_of_training)
right = pipeline.score(held_out, digits_held_out)
print(f"held-out digits read right: {right:.1%}")
sys.exit(right < 0.95)
