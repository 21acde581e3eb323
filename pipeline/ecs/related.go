package ecs

import (
	"bytes"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// putRelated appends related: the users, addresses, hosts, hashes and entities of the record wherever they stand.
// Source: MAPPING section 11.
func (e *Encoder) putRelated(dst []byte) []byte {
	mark := len(dst)
	dst = append(dst, `"related":{`...)
	dst = e.putRelatedUsers(dst)
	dst = e.putRelatedIPs(dst)
	dst = e.putRelatedHosts(dst)
	if hash := itemOf(e.previousHash()); len(hash.text) > 0 {
		dst = append(appendItem(append(dst, `"hash":[`...), hash), "],"...)
	}
	dst = putList(dst, `"entity":`, e.entities)
	return end(dst, mark, '}')
}

func (e *Encoder) putRelatedUsers(dst []byte) []byte {
	d, p := &e.who, &e.params
	users := addUnique(e.users, d.sessionName)
	users = addUnique(users, d.sessionMailbox)
	users = addUnique(users, itemOf(p.userName))
	users = addUnique(users, itemOf(p.newUserName))
	users = addUnique(users, itemOf(p.userID))
	users = addUnique(users, itemOf(d.id))
	users = addUnique(users, itemOf(d.name))
	if d.onBehalfOf.Exists() {
		users = addUnique(users, itemOf(d.onBehalfOf.Get("userId")))
	}
	e.users = users
	return putList(dst, `"user":`, users)
}

func (e *Encoder) putRelatedIPs(dst []byte) []byte {
	var other item
	if v := e.free[serviceForm].value; v.Kind() == cloudtrail.KindObject {
		other = itemOf(v.Get("sourceIpAddress"))
	}
	_, known := cloudtrail.ParseAddr(other.text)
	known = known && !bytes.Equal(other.text, e.source.text)
	if !e.sourceIsIP && !known {
		return dst
	}
	dst = append(dst, `"ip":[`...)
	if e.sourceIsIP {
		dst = append(appendItem(dst, e.source), ',')
	}
	if known {
		dst = append(appendItem(dst, other), ',')
	}
	dst[len(dst)-1] = ']'
	return append(dst, ',')
}

func (e *Encoder) putRelatedHosts(dst []byte) []byte {
	if host := itemOf(e.tls.host); len(host.text) > 0 && !bytes.HasSuffix(host.text, []byte(amazon)) {
		e.hosts = append(e.hosts, host)
	}
	if !e.sourceIsIP && bytes.IndexByte(e.source.text, '.') >= 0 && bytes.IndexByte(e.source.text, ' ') < 0 &&
		!bytes.HasSuffix(e.source.text, []byte(amazon)) {
		e.hosts = append(e.hosts, e.source)
	}
	for i := range e.resources {
		arn := itemOf(e.resources[i].arn)
		if bytes.Contains(arn.text, []byte(":instance/")) {
			arn.text = arn.text[bytes.LastIndexByte(arn.text, '/')+1:]
			e.addInstance(arn)
		}
	}
	if len(e.hosts) == 0 { // nearly always
		return dst
	}
	e.hosts = unique(e.hosts)
	return putList(dst, `"hosts":`, e.hosts)
}
