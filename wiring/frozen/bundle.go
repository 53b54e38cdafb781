package frozen

import (
	"path/filepath"

	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
)

// BundleDir is the directory of a plan that holds its own copies of modules.
const BundleDir = "modules"

// Bundle copies a plan's modules into a new directory, one below it for each,
// and makes the plan take them from [BundleDir] in its own: that is where the
// directory belongs. The plan then runs where nothing else of it is installed.
func Bundle(p *wiring.Plan, f library.Finder, dir string) error {
	for i := range p.Modules {
		ref := &p.Modules[i]
		found, err := f.FindPinned(ref.Name, ref.Source, ref.SHA256)
		if err != nil {
			return err
		}
		if err := found.Copy(filepath.Join(dir, ref.Name)); err != nil {
			return err
		}
		ref.Source = BundleDir + "/" + ref.Name
	}
	return nil
}
