package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// rules say which of the announced objects are read.
type rules struct {
	buckets []string
	keys    Keys
}

// foreignBucket is the error of a notice for a bucket that is not on the queue's list.
type foreignBucket struct{ bucket string }

func (e *foreignBucket) Error() string {
	return fmt.Sprintf("its bucket %.80q is not in the queue's list of buckets: add it there if the notice is genuine", e.bucket)
}

// choose returns the objects to read and calls count for each one that is not. A foreign bucket is an error.
func (r *rules) choose(objects []notice, count func(c cloudtrail.Content, result string)) ([]notice, error) {
	for _, o := range objects {
		if len(r.buckets) > 0 && !slices.Contains(r.buckets, o.bucket) {
			return nil, &foreignBucket{bucket: o.bucket}
		}
	}
	var read []notice
	for _, o := range objects {
		content := contentOf(o.key)
		switch {
		case content == cloudtrail.ContentDigest || content == cloudtrail.ContentMarker:
			count(content, objectSkipped)
		case r.excluded(o.key):
			count(content, objectExcluded)
		default:
			read = append(read, o)
		}
	}
	return read, nil
}

// contentOf is what the key's grammar says. Any key that ends in "/" is a marker, as the S3 console makes them too.
func contentOf(key string) cloudtrail.Content {
	if strings.HasSuffix(key, "/") {
		return cloudtrail.ContentMarker
	}
	return cloudtrail.ParseKey(key).Content
}

func (r *rules) excluded(key string) bool {
	matches := func(glob string) bool { return doublestar.MatchUnvalidated(glob, key) }
	return slices.ContainsFunc(r.keys.Exclude, matches) ||
		len(r.keys.Include) > 0 && !slices.ContainsFunc(r.keys.Include, matches)
}
