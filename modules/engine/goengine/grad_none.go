package goengine

// Operators whose gradients stop quietly, since their results are whole
// numbers, truth values or constant almost everywhere, and those that are
// refused, since stopping there would give wrong gradients without a word.

var stoppingGrads = join(
	without(stops, "its result is a truth value", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor", "Not",
		"IsNaN", "IsInf", "OptionalHasElement"),
	without(stops, "its result is a whole number", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "BitShift", "ArgMax", "ArgMin", "Shape", "Size",
		"NonZero", "SequenceLength", "NonMaxSuppression", "Multinomial"),
	without(stops, "its result is constant almost everywhere", "Sign", "Floor", "Ceil", "Round", "Hardmax", "Bernoulli"),
	without(stops, "its result does not depend on its inputs' elements", "Constant", "ConstantOfShape", "EyeLike", "RandomUniform", "RandomNormal",
		"RandomUniformLike", "RandomNormalLike", "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix", "SequenceEmpty"),
	without(stops, "it computes with text or files", "ImageDecoder", "StringNormalizer", "TfIdfVectorizer", "StringConcat", "StringSplit", "RegexFullMatch"),
)

var refusedGrads = join(
	without(refuses, "rounding to integers has no gradient; use the model before it was quantised", "QuantizeLinear", "DynamicQuantizeLinear"),
	without(refuses, "it computes with integers; use the model before it was quantised", "DequantizeLinear", "ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul",
		"com.microsoft.QLinearAdd", "com.microsoft.QLinearMul", "com.microsoft.QLinearSigmoid", "com.microsoft.QLinearLeakyRelu", "com.microsoft.QLinearSoftmax",
		"com.microsoft.QLinearAveragePool", "com.microsoft.QLinearGlobalAveragePool", "com.microsoft.QLinearReduceMean", "com.microsoft.QLinearConcat",
		"com.microsoft.QLinearWhere", "com.microsoft.QGemm", "com.microsoft.DynamicQuantizeMatMul", "com.microsoft.MatMulIntegerToFloat"),
	without(refuses, "it reads numbers as bits of another type", "BitCast"),
)
