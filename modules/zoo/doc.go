// Package zoo holds the modules that are embedded in the program, pretrained
// by this project: "vision" (picture → grid and embedding), "text" (words →
// embedding in the same space), "language" (word and state → scores of the
// next word) and "sound" (log-mel frames → embedding). Each directory has a
// CARD.md with data, licence, architecture and numbers; zoo/pretrain makes
// them.
//
// Their successors know photographs and everyday sounds: "real-vision"
// (EfficientNet-Lite0), "real-sound" (aiSFX), "real-text" (distilled from
// MiniLM) and "real-language". The first three meet in one space, MiniLM's,
// in which a text, a picture and a sound of one thing lie near each other;
// zoo/build makes them from published packages.
package zoo
