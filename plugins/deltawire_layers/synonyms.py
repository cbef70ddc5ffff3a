"""The names that torch, Keras, jax and optax have for layers, and the kinds that stand for them here.

Case and underscores do not matter: `CrossEntropyLoss` and `cross_entropy_loss` are one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

EQUAL: Mapping[str, str] = {
    "add": "plus",
    "affine": "Rescaling",
    "attention": "scaled_dot_product_attention dot_product_attention sdpa",
    "avg_pool2d": "AveragePooling2D average_pool2d",
    "concat": "Concatenate cat concatenation",
    "conv1d": "LazyConv1d Convolution1D",
    "conv2d": "LazyConv2d Convolution2D",
    "divide": "div true_divide",
    "elman": "RNN SimpleRNN RNNBase",
    "embedding": "lookup",
    "flatten": "ravel",
    "group_norm": "GroupNormalization",
    "huber": "HuberLoss",
    "identity": "noop",
    "kl_divergence": "KLDivLoss kl_div kldiv",
    "layer_norm": "LayerNormalization",
    "linear": "Dense LazyLinear fully_connected fc",
    "log": "ln",
    "matmul": "bmm mm",
    "max_pool2d": "MaxPooling2D",
    "mean": "reduce_mean",
    "multi_head_attention": "MultiheadAttention multi_head_attention_forward mha",
    "multiply": "mul times",
    "negate": "neg negative",
    "nll": "NLLLoss NLLLoss2d",
    "power": "pow",
    "reshape": "Unflatten view",
    "rms_norm": "RMSNormalization",
    "sigmoid": "logistic",
    "silu": "swish",
    "softmax_nll": "CrossEntropyLoss cross_entropy SparseCategoricalCrossentropy "
    "softmax_cross_entropy_with_integer_labels",
    "subtract": "sub minus",
    "sum": "reduce_sum",
    "transpose": "Permute swapaxes",
    "binary_nll": "BCEWithLogitsLoss binary_cross_entropy_with_logits sigmoid_binary_cross_entropy",
}
"""By kind, other names of the same function. Names that differ in case or underscores only are left out."""

NOT_2D = "reshape to an image of height 1, as the windows are those of images"
DROPOUT = "draw a mask of 0 and 1 yourself, and send it as data"
ONE_HOT = "it takes integer labels, not one-hot vectors; for other targets, kl_divergence of log_softmax"
CELL = "the whole sequence is one layer"

CLOSEST: Mapping[str, tuple[str, str]] = {
    # Losses.
    "MSELoss MeanSquaredError mse": ("squared_error", "it sums over an example; a mean needs its count"),
    "l2_loss": ("squared_error", "optax's is half of it: weight the loss by 0.5"),
    "MeanSquaredLogarithmicError msle": ("squared_error", "of the log of affine values, x + 1"),
    "MeanAbsolutePercentageError mape": ("maximum", "|e| is the maximum of e and its negate"),
    "L1Loss MeanAbsoluteError mae": ("huber", "with a small delta: delta · |e| beyond it"),
    "SmoothL1Loss": ("huber", "equal for beta 1; else divide huber of delta beta by beta"),
    "LogCosh logcosh": ("softplus", "log cosh e = e + softplus(−2e) − log 2"),
    "BCELoss binary_cross_entropy BinaryCrossentropy bce": (
        "binary_nll",
        "it takes scores, from before the sigmoid",
    ),
    "MultiLabelSoftMarginLoss SoftMarginLoss BinaryFocalCrossentropy sigmoid_focal_loss": (
        "binary_nll",
        "for scores and targets of 0 and 1, without other weights",
    ),
    "CategoricalCrossentropy softmax_cross_entropy safe_softmax_cross_entropy": ("softmax_nll", ONE_HOT),
    "CategoricalFocalCrossentropy poly_loss_cross_entropy smooth_labels": (
        "softmax_nll",
        "without focus, polynomial or smoothed labels",
    ),
    "AdaptiveLogSoftmaxWithLoss LinearCrossEntropyLoss linear_cross_entropy": (
        "softmax_nll",
        "of the scores of a linear layer",
    ),
    "ranking_softmax_loss ntxent": ("softmax_nll", "of the scores of each example's candidates"),
    "convex_kl_divergence kl_divergence_with_log_targets generalized_kl_divergence": (
        "kl_divergence",
        "for target probabilities: exp of log targets",
    ),
    "CosineSimilarity CosineEmbeddingLoss": ("cosine_distance", "it is 1 − the similarity"),
    "MarginRankingLoss HingeEmbeddingLoss Hinge hinge_loss CategoricalHinge": (
        "max_margin",
        "max(0, margin − s + s_corrupt) of two scores",
    ),
    "TripletMarginLoss TripletMarginWithDistanceLoss Circle": (
        "max_margin",
        "of the two negated distances, from other layers",
    ),
    "MultiMarginLoss MultiLabelMarginLoss multiclass_hinge_loss SquaredHinge perceptron_loss "
    "multiclass_perceptron_loss multiclass_sparsemax_loss sparsemax_loss make_fenchel_young_loss": (
        "relu",
        "relu of margins, from subtract and affine",
    ),
    "PoissonNLLLoss Poisson GaussianNLLLoss": ("log", "compose it of exp, log, multiply and sum"),
    "Dice Tversky": ("divide", "compose it of multiply, sum and divide"),
    "CTCLoss CTC ctc_loss_with_forward_probs": ("softmax_nll", "there are no alignments: one label per step"),
    # Activations.
    "ReLU6": ("relu", "6 − relu(6 − relu(x)), with affine for 6 − x"),
    "Hardtanh Hardsigmoid hard_sigmoid sparse_sigmoid clip clamp": (
        "relu",
        "relu(x − a) − relu(x − b) clips, with affine before and after",
    ),
    "Hardswish hard_silu": ("silu", "which is smooth; or multiply x by a clipped x"),
    "SELU": ("elu", "with alpha 1.6733, times 1.0507 by affine"),
    "CELU": ("elu", "alpha · elu(x / alpha), with affine"),
    "PReLU RReLU": ("leaky_relu", "with a fixed slope"),
    "Mish": ("softplus", "x · tanh(softplus(x))"),
    "GLU": ("slice", "multiply one half by the sigmoid of the other"),
    "LogSigmoid": ("softplus", "−softplus(−x), with negate"),
    "Softmin": ("softmax", "of the negated numbers"),
    "Softsign soft_sign": ("tanh", "or x / (1 + |x|), with maximum, affine and divide"),
    "squareplus": ("softplus", "or (x + √(x² + b)) / 2, with power, affine and sqrt"),
    "sparse_plus": ("softplus", "which is smooth"),
    "Softshrink Hardshrink Tanhshrink Threshold threshold_": ("relu", "of shifted numbers, or x − tanh(x)"),
    "abs absolute": ("maximum", "of x and its negate"),
    "square": ("power", "with exponent 2"),
    "rsqrt": ("power", "with exponent −0.5"),
    "log1p log1mexp logaddexp": ("log", "of affine values; softplus is log(1 + eˣ)"),
    "logsumexp logmeanexp": ("log_softmax", "x − log_softmax(x), at any one place"),
    "gumbel_softmax": ("softmax", "add the noise as data first"),
    "Softmax2d": ("softmax", "over the last axis: transpose first"),
    "Activation": ("relu", "an activation is a layer of its own kind: relu, tanh, gelu, …"),
    # Normalizations and scalings.
    "BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d "
    "SyncBatchNorm BatchNormalization": (
        "batch_norm",
        "its statistics are data, as in eval mode",
    ),
    "InstanceNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d "
    "LazyInstanceNorm3d": ("group_norm", "with as many groups as channels"),
    "LocalResponseNorm CrossMapLRN2d": ("group_norm", "which normalizes groups of channels"),
    "normalize UnitNormalization standardize Normalization SpectralNormalization": (
        "layer_norm",
        "or divide by a norm from power, sum and sqrt",
    ),
    "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout SpatialDropout1D "
    "SpatialDropout2D SpatialDropout3D GaussianDropout GaussianNoise": ("dropout_mask", DROPOUT),
    # Convolutions and poolings.
    "Conv3d LazyConv3d DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D conv_tbc": (
        "conv2d",
        "with groups for depthwise ones; three axes are not there",
    ),
    "ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConvTranspose1d LazyConvTranspose2d "
    "LazyConvTranspose3d Conv1DTranspose Conv2DTranspose Conv3DTranspose": (
        "linear",
        "there is no transposed convolution; its matrix can be the weight of linear",
    ),
    "MaxPool1d MaxPooling1D MaxPool3d MaxPooling3D FractionalMaxPool2d FractionalMaxPool3d "
    "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices "
    "fractional_max_pool2d_with_indices fractional_max_pool3d_with_indices": ("max_pool2d", NOT_2D),
    "AvgPool1d AveragePooling1D AvgPool3d AveragePooling3D LPPool1d LPPool2d LPPool3d": (
        "avg_pool2d",
        NOT_2D,
    ),
    "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d GlobalAveragePooling1D "
    "GlobalAveragePooling2D GlobalAveragePooling3D AdaptiveAveragePooling1D AdaptiveAveragePooling2D "
    "AdaptiveAveragePooling3D": ("mean", "over the axes of the image, for an output of size 1"),
    "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d GlobalMaxPooling1D GlobalMaxPooling2D "
    "GlobalMaxPooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D amax "
    "adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices adaptive_max_pool3d_with_indices": (
        "max",
        "along one axis at a time, for an output of size 1",
    ),
    "MaxUnpool1d MaxUnpool2d MaxUnpool3d Upsample UpsamplingBilinear2d UpsamplingNearest2d interpolate "
    "upsample_bilinear upsample_nearest UpSampling1D UpSampling2D UpSampling3D Resizing grid_sample "
    "affine_grid": (
        "linear",
        "there is no resizing; a fixed linear map is matmul with data",
    ),
    "Fold Unfold PixelShuffle PixelUnshuffle ChannelShuffle native_channel_shuffle": (
        "reshape",
        "with transpose, where windows do not overlap",
    ),
    "ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d "
    "ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d CircularPad1d "
    "CircularPad2d CircularPad3d ZeroPadding1D ZeroPadding2D ZeroPadding3D pad": (
        "concat",
        "convolutions and poolings have a padding; else concat parts from slice or data",
    ),
    "Cropping1D Cropping2D Cropping3D CenterCrop": ("slice", "along one axis at a time"),
    # Sequences and attention.
    "RNNCell SimpleRNNCell StackedRNNCells RNNCellBase": ("elman", CELL),
    "LSTMCell ConvLSTM1D ConvLSTM2D ConvLSTM3D": ("lstm", CELL),
    "GRUCell": ("gru", CELL),
    "Bidirectional": ("lstm", "send the reversed sequence as a second input, and concat the values"),
    "TimeDistributed": ("linear", "which works on the last axis, so on every step"),
    "Transformer TransformerEncoder TransformerEncoderLayer TransformerDecoder TransformerDecoderLayer": (
        "multi_head_attention",
        "with linear, add and layer_norm; from_torch builds an encoder from torch's",
    ),
    "AdditiveAttention GroupQueryAttention GroupedQueryAttention": ("attention", "of scaled products"),
    "Masking": ("attention", "a mask is its fourth input"),
    "EmbeddingBag": ("embedding", "then sum or mean over the axis of the indices"),
    "ReversibleEmbedding": ("embedding", "and a linear node tied to it by tied_to"),
    "one_hot CategoryEncoding Hashing HashedCrossing IntegerLookup StringLookup TextVectorization "
    "Discretization": ("embedding", "which takes integers; encode the data before they are sent"),
    # Products, combinations and shapes.
    "Bilinear EinsumDense einsum": ("matmul", "with linear, reshape and transpose"),
    "grouped_mm scaled_mm scaled_grouped_mm scaled_matmul scaled_dot_general get_scaled_dot_general_config": (
        "matmul",
        "in float32 or float64",
    ),
    "PairwiseDistance pdist cdist": ("sqrt", "of the sum of squares: subtract, power, sum"),
    "Average": ("add", "then affine with the factor 1 / n"),
    "RepeatVector repeat expand tile": ("concat", "of the same input several times"),
    "stack": ("concat", "of inputs with a new axis from reshape"),
    "squeeze unsqueeze expand_dims": ("reshape", "to the new shape"),
    "split chunk narrow": ("slice", "one node for each part"),
}
"""By names that have no counterpart, the kind that comes closest, and how to use it."""

NO_LAYER: Mapping[str, str] = {
    "Sequential ModuleList ModuleDict ParameterList ParameterDict Module Container DataParallel Pipeline "
    "Wrapper Lambda TorchModuleWrapper FlaxLayer JaxLayer TFSMLayer Layer": (
        "a network is a list of nodes, which name their inputs"
    ),
    "Input InputLayer InputSpec": "an input stands in the network's inputs, not among its nodes",
    "ActivityRegularization": "regularization stands beside the loss; weight a loss for values",
    "AutoContrast AugMix CutMix MixUp Equalization Solarization RandAugment RandomBrightness "
    "RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform "
    "RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert "
    "RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear "
    "RandomTranslation RandomWidth RandomZoom MaxNumBoundingBoxes MelSpectrogram STFTSpectrogram": (
        "change the data before they are sent"
    ),
    "initializers": "the init_scale of a layer scales the first numbers of its parameters",
}
"""By names that are no layer here, what stands in their place."""


class Synonym(NamedTuple):
    """The kind that stands for a name of another library."""

    name: str
    """As the library has it."""
    kind: str
    """Empty for what is no layer here."""
    note: str
    """How to use the kind; empty where it is the same function."""


def normalized(name: str) -> str:
    """Return a name without its module, case, underscores and the ending `loss`."""
    plain = re.sub(r"[\W_]", "", name.lower().rpartition(".")[2])
    return plain.removesuffix("loss") or plain


def _synonyms() -> Iterator[Synonym]:
    for names, note in NO_LAYER.items():
        yield from (Synonym(name, "", note) for name in names.split())
    for names, (kind, note) in CLOSEST.items():
        yield from (Synonym(name, kind, note) for name in names.split())
    for kind, names in EQUAL.items():
        yield from (Synonym(name, kind, "") for name in names.split())


SYNONYMS: tuple[Synonym, ...] = tuple(_synonyms())

_BY_NAME = {normalized(synonym.name): synonym for synonym in SYNONYMS}


def find_synonym(name: str, kinds: Iterable[str]) -> Synonym | None:
    """Return what stands for a name, if it is known and its kind is installed.

    Args:
        name: as another library has it.
        kinds: the installed kinds.
    """
    plain = normalized(name)
    own = {normalized(kind): kind for kind in kinds}
    if plain in own:
        return Synonym(name, own[plain], "")
    found = _BY_NAME.get(plain)
    return found if found and (not found.kind or normalized(found.kind) in own) else None
