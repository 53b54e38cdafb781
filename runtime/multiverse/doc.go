// Package multiverse asks one question of a connectome under all choices that an
// analyst could have made: transforms of the weights, signs, spectral radius,
// input gain, ridge (Steegen and others 2016, Perspectives on Psychological
// Science 11:702).
//
// For every combination a reservoir over the connectome is compared with null
// networks, or a plan that learns with gates learned or fixed, ranks, learning
// rates ([Spec.Learned]). The answer is not how many combinations it wins, which are not
// independent, but a joint permutation test: the median standardised difference
// over all combinations, beside that of each null network in the connectome's
// place (Simonsohn, Simmons and Nelson 2020, Nature Human Behaviour 4:1208).
//
//	s, err := multiverse.Read("choices.yaml")
//	result, err := multiverse.Run(ctx, s, brain, multiverse.Options{})
//	fmt.Println(result.Median, result.P)
package multiverse
