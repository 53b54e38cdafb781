// Package bridge takes photographs out of a fitted bridge again.
//
// A vision module that places pictures in a space of texts carries a linear
// bridge, fitted by ridge regression on a few captioned photographs. Scored on
// those, it would be scored on what it learned from. With what each photograph
// added to the regression kept beside the module, the bridge that never saw
// some of them follows exactly, without fitting anything anew (the identity of
// Woodbury 1950; Hastie et al., "The Elements of Statistical Learning", 7.10).
package bridge
