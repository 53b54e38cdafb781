// Package bridge fits what takes a vision module's features to the space of a
// text module: ridge regression on a few captioned pictures.
//
// A classifier of pictures knows much and says little: its features are no
// words. A linear map of the standardised features, and of the mean vector of
// its classes' names under the class probabilities, takes a picture near the
// vectors of what people say of it. Where there are few captioned pictures, the
// classes help: each gives one prototype, its own row of the classifier in the
// place of features, with its name's vector as the target.
//
// The shipped module "vision" carries such a bridge as its second part. This
// package reads it back from a module's files and fits it anew on other
// pictures, so that pictures can be placed by a bridge that never saw them.
package bridge
