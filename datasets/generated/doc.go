// Package generated makes data by equations and a seed, so that forecasting,
// regression and labelling have examples that need nothing from anywhere.
//
// [MackeyGlass], [Lorenz] and [Sines] are series to be forecast, [NARMA10] is
// a series with what is to be computed from it, [Spirals] and [Blobs] are
// vectors in two classes, [DelayedMatch], [ContextDecision], [NBack] and
// [StoreIgnoreRecall] are trials of working memory and decision, [Friedman] is a number to be predicted from ten. All
// give an [own.Dataset]; the same options give the same bits. [Shapes] are
// drawings with a sentence and a question each. [Write] writes any of them to
// files.
//
// But for trials, a series is one trajectory, cut into rows of as many steps that do not
// overlap. The split is by time: what is tested on lies after what is trained
// on.
package generated
