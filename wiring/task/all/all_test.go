package all

import (
	"testing"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/prepare"
)

// TestEveryShippedRecipeCanBeLearned: the kinds of its tasks are registered.
func TestEveryShippedRecipeCanBeLearned(t *testing.T) {
	for _, name := range wiring.RecipeNames() {
		r, err := wiring.OpenRecipe(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Tasks) == 0 {
			t.Errorf("recipe %q has no task", name)
		}
		for _, x := range r.Tasks {
			if _, err := prepare.Lookup(x.Kind); err != nil {
				t.Errorf("recipe %q: %v", name, err)
			}
		}
	}
	if _, err := prepare.Lookup("dancing"); err == nil {
		t.Error("dancing is a task")
	}
}
