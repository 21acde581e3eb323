package cloudtrail_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// placed is a record, or the refusal of one, with where it stood.
type placed struct {
	number  int
	offset  int64
	raw     string
	refused bool
}

func places(r *cloudtrail.Reader, src io.Reader) ([]placed, error) {
	var list []placed
	r.Reset(src, nil)
	for {
		rec, err := r.Next()
		var bad *cloudtrail.Refused
		switch {
		case errors.As(err, &bad):
			if bad.Err == nil {
				return list, errors.New("a refusal without a reason")
			}
			list = append(list, placed{bad.Number, bad.Offset, string(bad.Raw), true})
		case err == io.EOF:
			return list, nil
		case err != nil:
			return list, err
		default:
			list = append(list, placed{rec.Number, rec.Offset, string(rec.Raw), false})
		}
	}
}

// TestReader_damageAnywhere damages a byte at random places of every sample file, the large ones too, whose records cross
// the borders of windows: all other records come as they were, and the damaged one alone is refused, at its place.
func TestReader_damageAnywhere(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	reader, times := cloudtrail.NewReader(), 40
	if testing.Short() {
		times = 8
	}
	for name, file := range samples(t) {
		want, err := places(reader, bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		for range times {
			at, with := random.IntN(len(file)), byte(random.Uint32())
			damaged := bytes.Clone(file)
			damaged[at] = with
			var src io.Reader = bytes.NewReader(damaged)
			if random.IntN(4) == 0 {
				src = iotest.HalfReader(src)
			}
			got, err := places(reader, src)
			if err != nil {
				t.Errorf("%s: byte %d as %q: %v", name, at, with, err)
				continue
			}
			if problem := beyondDamage(want, got, int64(at)); problem != "" {
				t.Errorf("%s: byte %d as %q: %s", name, at, with, problem)
			}
		}
	}
}

// beyondDamage says what else than the record with the damaged byte is not as it was.
func beyondDamage(want, got []placed, at int64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d records and refusals, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		hit := at >= w.offset && at < w.offset+int64(len(w.raw))
		inside := hit && g.offset > w.offset && g.offset < w.offset+int64(len(w.raw)) // its first brace is the damaged one
		if g.number != w.number || g.offset != w.offset && !inside {
			return fmt.Sprintf("record %d at byte %d, want record %d at byte %d", g.number, g.offset, w.number, w.offset)
		}
		if !hit && (g.refused || g.raw != w.raw) {
			return fmt.Sprintf("record %d is not as it was: refused %v", w.number, g.refused)
		}
	}
	return ""
}
