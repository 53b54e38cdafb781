// Package zoo holds the modules that are embedded in the program, pretrained
// by this project: "vision" (picture → grid and embedding), "text" (words →
// embedding in the same space), "language" (word and state → scores of the
// next word) and "sound" (log-mel frames → embedding). Each directory has a
// CARD.md with data, licence, architecture and numbers; zoo/pretrain makes
// them.
package zoo
