package samples

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Records reads the records of every sample file, each with bytes of its own, for tests and benchmarks.
func Records() ([]*cloudtrail.Record, error) {
	var all []*cloudtrail.Record
	reader := cloudtrail.NewReader()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		reader.Reset(bytes.NewReader(body), &cloudtrail.Object{Key: name})
		for {
			r, err := reader.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("reading %s: %w", name, err)
			}
			own := &cloudtrail.Record{Object: r.Object, Number: r.Number, Offset: r.Offset}
			if err := own.Parse(bytes.Clone(r.Raw)); err != nil {
				return fmt.Errorf("reading %s: %w", name, err)
			}
			all = append(all, own)
		}
	})
	return all, err
}
