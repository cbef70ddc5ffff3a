"""Every common name of torch, Keras, jax and optax leads to a kind that exists, or says why there is none."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest
from support.layers import BUILT_IN

from deltawire_layers.synonyms import SYNONYMS, find_synonym, normalized

KERAS_LAYERS = """
    Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average
    AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional CategoryEncoding
    CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D
    ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D CutMix Dense DepthwiseConv1D DepthwiseConv2D
    Discretization Dot Dropout ELU EinsumDense Embedding Equalization Flatten FlaxLayer GRU GRUCell
    GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention
    HashedCrossing Hashing Identity Input InputLayer InputSpec IntegerLookup JaxLayer LSTM LSTMCell Lambda
    Layer LayerNormalization LeakyReLU Masking MaxNumBoundingBoxes MaxPooling1D MaxPooling2D MaxPooling3D
    Maximum MelSpectrogram Minimum MixUp MultiHeadAttention Multiply Normalization PReLU Permute Pipeline
    RMSNormalization RNN RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast
    RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue
    RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
    RandomShear RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing ReversibleEmbedding
    STFTSpectrogram SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax Solarization
    SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells StringLookup
    Subtract TFSMLayer TextVectorization TimeDistributed TorchModuleWrapper UnitNormalization UpSampling1D
    UpSampling2D UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D
""".split()
KERAS_LOSSES = """
    BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy CategoricalFocalCrossentropy
    CategoricalHinge Circle CosineSimilarity Dice Hinge Huber KLDivergence LogCosh MeanAbsoluteError
    MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
    SparseCategoricalCrossentropy SquaredHinge Tversky mse mae mape msle bce
""".split()
OPTAX_LOSSES = """
    convex_kl_divergence cosine_distance cosine_similarity ctc_loss ctc_loss_with_forward_probs
    generalized_kl_divergence hinge_loss huber_loss kl_divergence kl_divergence_with_log_targets l2_loss
    log_cosh make_fenchel_young_loss multiclass_hinge_loss multiclass_perceptron_loss
    multiclass_sparsemax_loss ntxent perceptron_loss poly_loss_cross_entropy ranking_softmax_loss
    safe_softmax_cross_entropy sigmoid_binary_cross_entropy sigmoid_focal_loss smooth_labels
    softmax_cross_entropy softmax_cross_entropy_with_integer_labels sparsemax_loss squared_error
    triplet_margin_loss
""".split()
NO_LAYERS = {"Callable", "Optional", "Tensor", "ScalingType", "SwizzleType", "DType", "boolean_dispatch"}
NO_LAYERS |= {"handle_torch_function", "assert_int_or_pair", "has_torch_function"}
NO_LAYERS |= {"has_torch_function_unary", "has_torch_function_variadic"}
"""What torch.nn.functional has for itself."""


def test_every_kind_exists() -> None:
    assert not [
        synonym.name
        for synonym in SYNONYMS
        if not (synonym.kind in BUILT_IN or (not synonym.kind and synonym.note))
    ]


def test_no_name_leads_to_two_kinds() -> None:
    kinds = {normalized(kind): kind for kind in BUILT_IN}
    for synonym in SYNONYMS:
        assert kinds.setdefault(normalized(synonym.name), synonym.kind) == synonym.kind, synonym


@pytest.mark.parametrize("name", [*KERAS_LAYERS, *KERAS_LOSSES, *OPTAX_LOSSES])
def test_names_of_keras_and_optax_lead_somewhere(name: str) -> None:
    assert find_synonym(name, BUILT_IN), name


@pytest.mark.torch
def test_names_of_torch_lead_somewhere() -> None:
    nn, functional = import_module("torch.nn"), import_module("torch.nn.functional")
    classes = [
        name for name, each in vars(nn).items() if inspect.isclass(each) and issubclass(each, nn.Module)
    ]
    functions = [name for name, each in vars(functional).items() if callable(each) and name[0] != "_"]
    names = {*classes, *functions} - NO_LAYERS
    assert len(names) > 200
    assert not {name for name in names if not find_synonym(name, BUILT_IN)}


@pytest.mark.jax
def test_names_of_jax_lead_somewhere() -> None:
    names = [name for name in dir(import_module("jax.nn")) if not name.startswith("_")]
    assert len(names) > 20
    assert not {name for name in names if not find_synonym(name, BUILT_IN)}


@pytest.mark.parametrize(
    "name, kind",
    [
        ("mse", "squared_error"),
        ("Dense", "linear"),
        ("cross_entropy", "softmax_nll"),
        ("CrossEntropyLoss", "softmax_nll"),
        ("dropout", "multiply"),
        ("ReLU6", "clip"),
        ("ReLU", "relu"),
        ("Conv2D", "conv2d"),
        ("LayerNormalization", "layer_norm"),
        ("hard_tanh", "clip"),
        ("Sequential", ""),
        ("nn.Linear", "linear"),
        ("torch.nn.CrossEntropyLoss", "softmax_nll"),
    ],
)
def test_a_name_leads_to_its_kind(name: str, kind: str) -> None:
    synonym = find_synonym(name, BUILT_IN)
    assert synonym is not None and synonym.kind == kind


def test_a_kind_that_is_not_installed_is_not_named() -> None:
    assert find_synonym("Dense", ["relu"]) is None
    assert find_synonym("no such layer", BUILT_IN) is None
