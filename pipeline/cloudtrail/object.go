package cloudtrail

import (
	"slices"
	"strings"
	"time"
)

// Object is a log object: where a record came from. One Object is shared by all records of one reading of it and is not
// changed while they are in use.
type Object struct {
	Bucket string    // "" for a local file
	Key    string    // the object's key, decoded, or the file's path
	Region string    // the bucket's region, "" while unknown
	Read   time.Time // when the shipper read it: event.created
	KeyInfo
}

// Content is what a log object holds, by the folder its key names.
type Content uint8

// The kinds of objects below an AWSLogs prefix. Source: AWS CloudTrail User Guide, "Getting and viewing your CloudTrail
// log files" (folders) and "CloudTrail digest file structure".
const (
	ContentUnknown         Content = iota // the key follows no grammar of CloudTrail's; the content may still be a log
	ContentLog                            // management and data events
	ContentInsight                        // Insights events
	ContentNetworkActivity                // network activity events
	ContentAggregated                     // five-minute summaries of data events
	ContentDigest                         // integrity digest: no records
	ContentMarker                         // the empty object that creating a trail leaves, its key ends in "/"
)

// String is the content's name as metrics and logs show it.
func (c Content) String() string {
	switch c {
	case ContentLog:
		return "log"
	case ContentInsight:
		return "insight"
	case ContentNetworkActivity:
		return "network_activity"
	case ContentAggregated:
		return "aggregated"
	case ContentDigest:
		return "digest"
	case ContentMarker:
		return "marker"
	}
	return "unknown"
}

// KeyInfo is what the key of a log object says. Parts that the key does not have are zero.
type KeyInfo struct {
	Content      Content
	Organization string    // o-…, of an organization trail
	Account      string    // the account whose events these are
	LogRegion    string    // the region whose events these are
	Delivered    time.Time // the minute in the file's name, UTC: when CloudTrail wrote it, not when events happened
}

// ParseKey reads the grammar of CloudTrail's object keys:
//
//	[prefix/]AWSLogs/[o-orgid/]account/folder/region/YYYY/MM/DD/account_folder_region_YYYYMMDDTHHMMZ_unique.json.gz
//
// The prefix may hold slashes and even AWSLogs; the last segment of that name counts. It routes by folder, since file
// names differ between kinds. Source: AWS CloudTrail User Guide, "Finding your CloudTrail log files".
func ParseKey(key string) KeyInfo {
	var k KeyInfo
	segments := strings.Split(key, "/")
	root := lastIndex(segments, "AWSLogs")
	if root < 0 {
		return k
	}
	rest := segments[root+1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], "o-") {
		k.Organization, rest = rest[0], rest[1:]
	}
	if len(rest) < 2 || !accountID(rest[0]) {
		return k
	}
	k.Account = rest[0]
	k.Content = contentOf(rest[1])
	if k.Content == ContentUnknown {
		return k
	}
	if strings.HasSuffix(key, "/") {
		k.Content = ContentMarker
		return k
	}
	if len(rest) > 3 {
		k.LogRegion = rest[2]
	}
	k.Delivered = deliveredAt(rest[len(rest)-1])
	return k
}

func contentOf(folder string) Content {
	switch folder {
	case "CloudTrail":
		return ContentLog
	case "CloudTrail-Insight":
		return ContentInsight
	case "CloudTrail-NetworkActivity":
		return ContentNetworkActivity
	case "CloudTrail-Aggregated":
		return ContentAggregated
	case "CloudTrail-Digest":
		return ContentDigest
	}
	return ContentUnknown
}

func lastIndex(segments []string, name string) int {
	for i, segment := range slices.Backward(segments) {
		if segment == name {
			return i
		}
	}
	return -1
}

func accountID(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// deliveredAt finds the YYYYMMDDTHHMMZ among the underscore-separated parts of a file name. Whatever follows is opaque.
func deliveredAt(name string) time.Time {
	const layout = "20060102T1504Z"
	for part := range strings.SplitSeq(name, "_") {
		if len(part) < len(layout) {
			continue
		}
		if t, err := time.Parse(layout, part[:len(layout)]); err == nil {
			return t
		}
	}
	return time.Time{}
}
