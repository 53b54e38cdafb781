// Package retrieval is the task of finding what belongs together: two senses
// enter one space, so that a picture finds its sentence and a sentence its
// picture. Each pair runs as two episodes through one plan, one sense each, and
// learns by InfoNCE over the batch ([task.Contrastive]).
package retrieval
