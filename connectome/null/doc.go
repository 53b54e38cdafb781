// Package null makes null models of a connectome: networks that share some of
// its properties and are random otherwise, so that a finding can be held
// against what those properties alone explain.
//
// [Kinds] lists the models with what each preserves. [Generate] makes one;
// the same connectome, kind, seed and index give the same network, so a
// hundred of them can be made in any order or on several processors.
//
// All models work on the tracts between different regions: self-loops are
// left out. They keep the regions with their labels and positions (except
// [LabelShuffle], which moves them to other nodes), and whether tracts are
// directed.
//
// Where a model puts a tract between regions that had none, the tract's
// length is the straight distance times the connectome's own median ratio of
// tract length to straight distance; without positions the length stays with
// the weight.
package null
