// Package generated makes data by equations and a seed, so that forecasting,
// regression and labelling have examples that need nothing from anywhere.
//
// [MackeyGlass], [Lorenz] and [Sines] are series to be forecast, [NARMA10] is
// a series with what is to be computed from it, [Spirals] and [Blobs] are
// vectors in two classes. All give an [own.Dataset]; the same options give the
// same bits.
//
// A series is one trajectory, cut into rows of as many steps that do not
// overlap. The split is by time: what is tested on lies after what is trained
// on.
package generated
