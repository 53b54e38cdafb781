// Package reservoir builds echo-state networks over connectomes and fits
// readouts to them (Jaeger 2001; on connectomes: Suárez et al., Nature Machine
// Intelligence 3:771, 2021).
//
//	plan, report, err := reservoir.Build(brain, reservoir.Options{Rho: 0.95, InputGain: 1})
//	task, err := reservoir.Find("memory-capacity")
//	data, err := task.Read("u.csv", reservoir.TaskOptions{})   // or task.Generate
//	result, err := reservoir.Fit(plan, task, data, reservoir.FitOptions{Ridge: 1e-6})
//	fmt.Println(result.Capacity)
//
// # The cell
//
// A plan of rate cells has one number a region and nothing that is learned but
// its readout (see [wiring.RateCell]):
//
//	x(t) = (1−a) x(t−1) + a tanh(W x(t−1) + w_in u(t) + b)
//
// W are the connectome's weights times signs, scaled to a spectral radius. What
// a peer means by the same words may differ: here the leak a is the share of
// the new, the spectral radius is that of W without leak, the state before the
// first step is zero, and u(t) is in x(t).
//
// # The readout
//
// [Fit] is ridge regression with an intercept, all outputs by one
// factorisation: states are divided by their standard deviation after the
// washout, λ is Ridge times the training steps, and it stands on the intercept
// as well. With [FitOptions.Choose] λ is the one with the least error over
// five blocks of the training steps, each left out once.
//
// # The tasks
//
// [Tasks] lists them. Each reads its data from a table or makes them by
// equations and a seed, and is scored beside what it should be compared with
// on the same steps: the best that an observer of the same input can do, or a
// model without a reservoir.
package reservoir
