package cloudtrail

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for want, name := range names {
		key := strings.TrimSuffix(strings.TrimPrefix(name, `"`), `":`)
		if got := FieldOf([]byte(key)); got != Field(want) || len(name) != len(key)+3 {
			t.Errorf("%s: got field %d, want %d", name, got, want)
		}
	}
}
