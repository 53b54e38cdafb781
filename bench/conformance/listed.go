package main

// draws is why the values of a test that draws random numbers are not compared.
const draws = "ONNX does not prescribe the generator of random numbers"

// noise is why the values of an inverse transform are not compared.
const noise = "the stored values are the rounding noise of float32 where the result is 0"

// chroma is why the pixels of lossy pictures are not compared.
const chroma = "decoders of lossy pictures scale colours up in ways of their own, which ONNX leaves open"

// typeAndShape lists the tests whose stored values no engine can be held to,
// each with its reason: only their types and shapes are compared.
var typeAndShape = map[string]string{
	"bernoulli": draws, "bernoulli_double": draws, "bernoulli_double_expanded": draws, "bernoulli_expanded": draws,
	"bernoulli_seed": draws, "bernoulli_seed_expanded": draws,
	"training_dropout": draws, "training_dropout_default": draws, "training_dropout_default_mask": draws, "training_dropout_mask": draws,
	"image_decoder_decode_jpeg_bgr": chroma, "image_decoder_decode_jpeg_grayscale": chroma, "image_decoder_decode_jpeg_rgb": chroma,
	"image_decoder_decode_webp_rgb": chroma,
	"dft_inverse":                   noise, "dft_inverse_opset19": noise,
	"adam_multiple": "before ONNX 1.13 the values were made with an epsilon that the model does not state",
}
