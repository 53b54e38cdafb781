// Package convert writes ONNX models from the weights of networks whose
// architecture it knows:
//
//   - EfficientNet-Lite, as efficientnet_lite_pytorch names its weights;
//   - BERT encoders, with the pooling and the unit length of a sentence
//     transformer where its configuration files say so (MiniLM);
//   - aiSFX's embedding net for sounds.
//
// [Convert] tells the architecture by the names of the tensors and reads its
// sizes from their shapes; heads and the like come from the configuration
// files beside the weights. Weights are written as they are, so the same
// weights give the same file, byte for byte.
//
// There is no converter for networks in general: a file of weights does not
// say how they are connected. Models of other architectures are exported to
// ONNX with their own library, by their authors or by you.
package convert
