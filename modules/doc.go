// Package modules describes frozen pretrained ONNX models: their typed ports,
// their preprocessing and the engines that run them.
package modules
