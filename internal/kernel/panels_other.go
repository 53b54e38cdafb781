//go:build !amd64

package kernel

func panelsWide() int { return 0 }

func rowPanels(k int, a []float32, csa int, b []float32, panel int, c []float32, accumulate bool) {
	panic("kernel: no kernel for a row of panels")
}

func rowOfHalves() bool { return false }

func rowHalf(k int, a []float32, b []uint16, panel, panels int, c []float32) {
	panic("kernel: no kernel for a row of halves")
}
