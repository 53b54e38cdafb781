// Package part computes what fills a region besides its tracts: a frozen
// module that reads the region's state through a learned adapter, and whose
// output comes back in through another ([wiring.Part]). One arithmetic serves
// learning and running:
//
//	x = A n(h) + a        y = module(x)        what joins the drive = B n(y)
//
// with n(y) = y / sqrt(mean(y²) + ε), as states and feedback are normalised: a
// module's numbers may be of any size. A and B may be products of two matrices.
//
// [Module] is all that a part asks of a module, numbers to numbers; package
// wiring/frozen opens one. Learning keeps x alone from tick to tick. On the way
// back the module runs again and is recorded, the gradient is pulled through
// it, and the recording is given up: memory does not grow with the ticks.
package part
