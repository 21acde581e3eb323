package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// samples are the sample records, each with the place of its eventID.
type sample struct {
	text []byte
	id   int // where the 36 characters of its eventID begin
}

const idLength = 36

// readSamples reads every record of the sample files.
func readSamples(dir string) ([]sample, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json.gz"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("finding sample files in %s: run the bench from the top of the repository", dir)
	}
	var all []sample
	reader := cloudtrail.NewReader()
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		reader.Reset(f, nil)
		for {
			r, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", name, err)
			}
			id := r.Field(cloudtrail.EventID).Bytes()
			if len(id) == idLength {
				all = append(all, sample{text: bytes.Clone(r.Raw), id: bytes.Index(r.Raw, id)})
			}
		}
		f.Close()
	}
	return all, nil
}

// makeObjects makes n log files of perObject records. All eventIDs are different.
func makeObjects(samples []sample, n, perObject int) [][]byte {
	objects := make([][]byte, n)
	var wg sync.WaitGroup
	const workers = 2
	for w := range workers {
		wg.Go(func() {
			var file, packed bytes.Buffer
			z, _ := gzip.NewWriterLevel(nil, gzip.DefaultCompression) // its only error is a wrong level
			for i := w; i < n; i += workers {
				file.Reset()
				packed.Reset()
				writeFile(&file, samples, i*perObject, perObject)
				z.Reset(&packed)
				z.Write(file.Bytes()) //nolint:errcheck // a bytes.Buffer takes everything
				z.Close()
				objects[i] = bytes.Clone(packed.Bytes())
			}
		})
	}
	wg.Wait()
	return objects
}

// writeFile writes a log file of n records, the first with the serial number from.
func writeFile(file *bytes.Buffer, samples []sample, from, n int) {
	file.WriteString(`{"Records":[`)
	for i := from; i < from+n; i++ {
		if i > from {
			file.WriteByte(',')
		}
		s := samples[i%len(samples)]
		file.Write(s.text[:s.id])
		fmt.Fprintf(file, "%08x-0000-4000-8000-%012x", i, i)
		file.Write(s.text[s.id+idLength:])
	}
	file.WriteString(`]}`)
}
