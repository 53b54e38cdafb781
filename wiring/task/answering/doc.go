// Package answering is the task of answering a question about a picture or a
// sound: two senses enter, and a label is chosen or a sentence said. It learns
// as labelling or captioning do, by the head of its effector; what is its own
// are the comparisons, each sense alone: a question often tells its answer.
package answering
