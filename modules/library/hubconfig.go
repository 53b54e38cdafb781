package library

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/modules/convert"
	"github.com/connectomewire/wire/modules/picture"
)

// hubConfig is the union of what is read of preprocessor_config.json,
// config.json and generation_config.json.
type hubConfig struct {
	ModelType string            `json:"model_type"`
	Labels    map[string]string `json:"id2label"`

	classMap []string        // of a *class_map.csv
	pooling  convert.Pooling // of a sentence transformer

	// Text holds what is said of the text's tower alone.
	Text struct {
		MaxPositions int `json:"max_position_embeddings"`
	} `json:"text_config"`

	// preprocessor_config.json for images
	DoResize      *bool           `json:"do_resize"`
	Size          json.RawMessage `json:"size"`
	CropSize      json.RawMessage `json:"crop_size"`
	DoCenterCrop  bool            `json:"do_center_crop"`
	DoNormalize   *bool           `json:"do_normalize"`
	DoRescale     *bool           `json:"do_rescale"`
	RescaleFactor float64         `json:"rescale_factor"`
	Mean          []float64       `json:"image_mean"`
	Std           []float64       `json:"image_std"`
	Resample      *int            `json:"resample"`

	// preprocessor_config.json for sounds
	SamplingRate int    `json:"sampling_rate"`
	FeatureSize  int    `json:"feature_size"`
	Hop          int    `json:"hop_length"`
	FFT          int    `json:"n_fft"`
	NSamples     int    `json:"n_samples"`
	MaxFrames    int    `json:"nb_max_frames"`
	FeatureType  string `json:"feature_extractor_type"`

	generationConfig
}

// readConfigs merges the configuration files that are there; classes without
// names in them take those of a labels.txt, one a line.
func readConfigs(dir string) (*hubConfig, error) {
	var c hubConfig
	for _, name := range []string{"config.json", "generation_config.json", "preprocessor_config.json"} {
		f, err := os.Open(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		const maxConfig = 16 << 20
		err = json.NewDecoder(io.LimitReader(f, maxConfig)).Decode(&c)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(c.Labels) > 0 {
		return &c, nil
	}
	b, err := os.ReadFile(filepath.Join(dir, labelsFile))
	if os.IsNotExist(err) {
		return &c, nil
	}
	c.Labels = map[string]string{}
	for i, line := range strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n"), "\n") {
		c.Labels[strconv.Itoa(i)] = line
	}
	return &c, err
}

// maxTokens is how many tokens of a text a model takes; 0 where nothing says it.
func (c *hubConfig) maxTokens() int {
	n := max(c.MaxPositions, c.Positions, c.Text.MaxPositions)
	if slices.Contains(paddedPositions, c.ModelType) {
		n -= 2
	}
	if most := c.pooling.MaxTokens; most > 0 && (n <= 0 || most < n) {
		n = most
	}
	return max(n, 0)
}

// paddedPositions are the kinds of models that count a text's places from 2.
var paddedPositions = []string{"roberta", "xlm-roberta", "camembert", "mpnet"}

// image reads an image processor's configuration.
func (c *hubConfig) image(s *picture.Spec) {
	edge, height, width := sides(c.Size)
	cropEdge, cropHeight, cropWidth := sides(c.CropSize)
	if c.DoCenterCrop && cropEdge+cropHeight > 0 {
		if cropEdge > 0 {
			cropHeight, cropWidth = cropEdge, cropEdge
		}
		s.Size, s.Edge = []int{cropHeight, cropWidth}, max(edge, 0)
	} else if height > 0 && width > 0 {
		s.Size, s.Fit = []int{height, width}, "stretch"
	} else if edge > 0 {
		s.Size, s.Fit = []int{edge, edge}, "stretch"
	}
	if c.Resample != nil {
		s.Filter = pillowFilters[*c.Resample]
	}
	if c.DoNormalize == nil || *c.DoNormalize {
		s.Mean, s.Std = c.Mean, c.Std
	}
	if c.DoRescale != nil && !*c.DoRescale {
		s.Range = []float64{0, 255}
	} else if c.RescaleFactor > 0 {
		if high := c.RescaleFactor * 255; high < 0.9999 || high > 1.0001 {
			s.Range = []float64{0, high}
		}
	}
}

// sides reads a size: a number, {"shortest_edge": n} or {"height":, "width":}.
func sides(b json.RawMessage) (edge, height, width int) {
	if json.Unmarshal(b, &edge) == nil {
		return edge, 0, 0
	}
	var s struct {
		Shortest int `json:"shortest_edge"`
		Height   int `json:"height"`
		Width    int `json:"width"`
	}
	if json.Unmarshal(b, &s) != nil {
		return 0, 0, 0
	}
	return s.Shortest, s.Height, s.Width
}

// readClassMap reads the class names of such a file, which has the columns
// index, mid and display_name.
func readClassMap(dir string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*"+classMap))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	name := filepath.Base(found[0])
	f, err := os.Open(found[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const maxMap = 16 << 20
	rows, err := csv.NewReader(io.LimitReader(f, maxMap)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var names []string
	for i, row := range rows {
		if len(row) < 3 || i > 0 && row[0] != strconv.Itoa(i-1) {
			return nil, fmt.Errorf("%s: line %d is not index,mid,display_name", name, i+1)
		}
		if i > 0 {
			names = append(names, row[2])
		}
	}
	return names, nil
}
