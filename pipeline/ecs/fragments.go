package ecs

import "slices"

// Fragments are members that enrichers add to one document: pre-rendered JSON that the Encoder splices without looking
// at it. Every slice holds whole members, each with a comma behind it ("name":"payments",), of keys that Fields lists and
// that the Encoder itself does not write there; it must stay as it is until the document is appended. A nil slice adds
// nothing. The zero Fragments is of use.
type Fragments struct {
	Source       []byte // members of source: "geo":{…},"as":{…},
	UserAgent    []byte // members of user_agent; with any, the Encoder adds only original
	CloudAccount []byte // members of cloud.account
	User         []byte // members of user
	IAM          []byte // members of aws.iam
	Organization []byte // members of organization but its name
	OrgName      []byte // organization.name
	Labels       []byte // members of labels, behind those of Config
	Tags         []byte // elements of tags, each with a comma behind it
	Root         []byte // members of the document, for an enricher of the user's own
}

// AddTags adds elements to tags, which more than one enricher may have to add to.
func (f *Fragments) AddTags(elements []byte) {
	if len(f.Tags) == 0 {
		f.Tags = elements
		return
	}
	f.Tags = append(slices.Clip(f.Tags), elements...)
}

// AppendString appends text as a JSON string, for whoever renders fragments. Bytes that are no UTF-8 become U+FFFD.
func AppendString(dst []byte, text string) []byte { return appendQuoted(dst, validText(text)) }

// putMembers appends an object of members that are rendered already, nothing when there are none. key holds its bracket.
func putMembers(dst []byte, key string, first, second []byte) []byte {
	if len(first)+len(second) == 0 {
		return dst
	}
	dst = append(dst, key...)
	dst = append(dst, first...)
	dst = append(dst, second...)
	dst[len(dst)-1] = '}'
	return append(dst, ',')
}
