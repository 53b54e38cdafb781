// Package captioning is the task of saying what is seen or heard: a language
// effector learns sentences, by teacher forcing, and beside them the words that
// matter, by its semantic readout alone.
//
// The loss is the mean −log P of a sentence's words and its end, given the
// words before, plus, at weight 0.5, that of its content words by the semantic
// readout after settling. The words of the training sentences are those that
// the effector may say.
package captioning
