// Package moduletest is the suite that every engine passes: known small
// models, wrong shapes and types, missing inputs, concurrent calls,
// cancellation, closing twice, NaN, malformed models.
//
//	func TestEngine(t *testing.T) {
//		moduletest.Run(t, engine)
//	}
//
// The models are built by [Model], which other tests may use as well.
package moduletest
