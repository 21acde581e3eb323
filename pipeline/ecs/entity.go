package ecs

import (
	"bytes"
	"strings"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// entityKind says which typed field an actor or target goes to besides actor.entity.id or target.entity.id.
type entityKind uint8

const (
	anyKind       entityKind = iota // in a query: all of them
	otherEntity                     // entity.id, entity.target.id
	userEntity                      // user.entity.id, user.target.entity.id
	serviceEntity                   // and so on
	hostEntity
)

// readEntities finds who did what to whom. Source: MAPPING section 12.
func (e *Encoder) readEntities() {
	e.actor = e.findActor()
	d := &e.who
	list := add(e.entities, d.accessKeyID)
	list = add(list, d.arn)
	list = add(list, d.userName)
	list = add(list, d.issuer.arn)
	list = add(list, d.issuer.userName)
	if d.kind == identityCenterUser {
		list = add(list, d.onBehalfOf.Get("identityStoreArn"))
	}
	for i := range e.resources {
		list = add(list, e.resources[i].upper)
	}
	e.entities = list
	if e.call.rules != nil {
		for _, path := range e.call.rules.others {
			e.entities = e.from(e.entities, path)
		}
		e.readTargets()
	}
	e.entities = unique(e.entities)
}

func (e *Encoder) findActor() item {
	d := &e.who
	v := d.arn
	switch call := e.call.special; {
	case call == assumeRole && d.kind == awsService:
		v = d.invokedBy
	case call == assumeRole && d.kind == assumedRole:
		v = d.issuer.arn
	case call == assumeRole || call == getCallerIdentity:
	case !v.Exists():
		v = d.onBehalfOf.Get("userId")
	}
	it := itemOf(v)
	it.kind = actorKind(it.text, d.kind)
	return it
}

func actorKind(text []byte, kind identityKind) entityKind {
	if kind == awsService || serviceLinked(text) {
		return serviceEntity
	}
	if kind == iamUser || kind == rootUser || kind == assumedRole {
		return userEntity
	}
	_, resource := resourceType(text)
	switch string(resource) {
	case "user", "role", "assumed-role", "federated-user":
		return userEntity
	case "instance":
		return hostEntity
	}
	if bytes.HasPrefix(text, []byte("i-")) {
		return hostEntity
	}
	return otherEntity
}

// serviceLinked reports whether an ARN is that of a role which AWS made for a service of its own.
func serviceLinked(arn []byte) bool {
	for {
		slash := bytes.IndexByte(arn, '/')
		if slash < 0 {
			return false
		}
		arn = arn[slash+1:]
		if bytes.HasPrefix(arn, []byte("AWSServiceRoleFor")) || bytes.HasPrefix(arn, []byte("aws-service-role/")) {
			return true
		}
	}
}

// resourceType takes the service and the type of resource from an ARN: arn:partition:service:region:account:type/id.
// Both are nil when text is none.
func resourceType(text []byte) (service, resource []byte) {
	rest, ok := bytes.CutPrefix(text, []byte("arn:"))
	if !ok {
		return nil, nil
	}
	_, rest, _ = bytes.Cut(rest, []byte(":"))
	service, rest, _ = bytes.Cut(rest, []byte(":"))
	_, rest, _ = bytes.Cut(rest, []byte(":"))
	_, rest, ok = bytes.Cut(rest, []byte(":"))
	if !ok {
		return nil, nil
	}
	if i := bytes.IndexAny(rest, ":/"); i >= 0 {
		rest = rest[:i]
	}
	return service, rest
}

func targetKind(text []byte) entityKind {
	service, resource := resourceType(text)
	if service == nil {
		return nameKind(text)
	}
	if serviceLinked(text) {
		return serviceEntity
	}
	switch string(resource) {
	case "user", "role", "assumed-role", "federated-user", "instance-profile", "mfa", "serialNumber":
		return userEntity
	case "instance":
		return hostEntity
	case "stack", "stack-set", "trail", "configuration-recorder", "file-system", "mount-target", "rule", "detector",
		"key", "function", "log-group", "log-stream", "alarm", "db", "cluster", "global-cluster", "trust-anchor",
		"resolver-query-log-config", "secret", "parameter", "document", "session", "webacl", "rulegroup", "ipset",
		"topic", "model", "loadbalancer", "table", "group", "policy", "security-group", "network-interface", "vpc",
		"subnet", "network-acl", "dhcp-options":
		return serviceEntity
	}
	if string(service) == "s3" {
		return serviceEntity
	}
	return otherEntity
}

// nameKind is the kind of a target that is named by something else than an ARN.
func nameKind(text []byte) entityKind {
	if len(text) == 20 && bytes.HasPrefix(text, []byte("AKIA")) {
		return userEntity
	}
	prefix, _, ok := bytes.Cut(text, []byte("-"))
	if !ok {
		return otherEntity
	}
	switch string(prefix) {
	case "i":
		return hostEntity
	case "sg", "sgr", "eni", "vpc", "subnet", "acl", "rtb", "igw", "nat", "vpce", "tgw", "pcx":
		return serviceEntity
	}
	return otherEntity
}

// putEntities appends the fields that hold nothing but entities.
func (e *Encoder) putEntities(dst []byte) []byte {
	dst = e.putEntityObject(dst, `"service":{`, serviceEntity)
	dst = e.putEntityObject(dst, `"host":{`, hostEntity)
	if len(e.actor.text) > 0 {
		dst = append(dst, `"actor":{"entity":{"id":[`...)
		dst = append(appendItem(dst, e.actor), `]}},`...)
	}
	if len(e.targets) == 0 && e.actor.kind != otherEntity { // nearly always
		return dst
	}
	mark := len(dst)
	dst = append(dst, `"target":{`...)
	dst = e.putTargets(dst, anyKind)
	dst = end(dst, mark, '}')
	mark = len(dst)
	dst = append(dst, `"entity":{`...)
	if len(e.actor.text) > 0 && e.actor.kind == otherEntity {
		dst = append(dst, `"id":[`...)
		dst = append(appendItem(dst, e.actor), `],`...)
	}
	part := len(dst)
	dst = append(dst, `"target":{`...)
	dst = putKind(dst, `"id":`, e.targets, otherEntity)
	dst = end(dst, part, '}')
	return end(dst, mark, '}')
}

func (e *Encoder) putEntityObject(dst []byte, key string, kind entityKind) []byte {
	if len(e.targets) == 0 && e.actor.kind != kind { // nearly always
		return dst
	}
	mark := len(dst)
	dst = append(dst, key...)
	dst = e.putActor(dst, kind)
	part := len(dst)
	dst = append(dst, `"target":{`...)
	dst = e.putTargets(dst, kind)
	dst = end(dst, part, '}')
	return end(dst, mark, '}')
}

// putActor appends entity.id when the actor is of this kind.
func (e *Encoder) putActor(dst []byte, kind entityKind) []byte {
	if len(e.actor.text) == 0 || e.actor.kind != kind {
		return dst
	}
	dst = append(dst, `"entity":{"id":[`...)
	return append(appendItem(dst, e.actor), `]},`...)
}

// putTargets appends entity.id with the targets of this kind.
func (e *Encoder) putTargets(dst []byte, kind entityKind) []byte {
	if len(e.targets) == 0 {
		return dst
	}
	mark := len(dst)
	dst = append(dst, `"entity":{`...)
	dst = putKind(dst, `"id":`, e.targets, kind)
	return end(dst, mark, '}')
}

// from appends the strings at a path that begins with the part of the record it is in.
func (e *Encoder) from(list []item, path string) []item {
	switch path {
	case "account":
		return add(list, e.rec.Field(cloudtrail.RecipientAccountID))
	case "sourceIdentity":
		return add(list, e.rec.Field(cloudtrail.SourceIdentity))
	case "resources":
		for i := range e.resources {
			list = add(list, e.resources[i].upper)
		}
		return list
	}
	part := strings.IndexByte(path, '.')
	form := requestForm
	switch path[:part] {
	case "re":
		form = responseForm
	case "aed":
		form = additionalForm
	}
	return collect(list, e.free[form].value, path[part:])
}

// readTargets finds what the event was done to.
func (e *Encoder) readTargets() {
	for _, path := range e.call.targets {
		e.targets = e.from(e.targets, path)
	}
	if e.call.special == sendCommand {
		e.readCommandTargets()
	}
	e.targets = unique(e.targets)
	for i := range e.targets {
		e.targets[i].kind = targetKind(e.targets[i].text)
	}
	e.entities = append(e.entities, e.targets...)
}

// readCommandTargets finds the instances of a SendCommand: listed, else by the values of its target filters. "*" is every
// instance of the account.
func (e *Encoder) readCommandTargets() {
	e.targets = e.from(e.targets, "rp.instanceIds[]")
	if len(e.targets) == 0 {
		e.targets = e.from(e.targets, "rp.targets[].values[]")
	}
	if len(e.targets) == 1 && string(e.targets[0].text) == "*" {
		e.targets = e.from(e.targets[:0], "account")
	}
}

// collect appends the strings and numbers at a path below v: ".member" steps into an object, "[]" into each element of an
// array.
func collect(list []item, v cloudtrail.Value, path string) []item {
	for path != "" {
		if path[0] == '[' {
			if v.Kind() != cloudtrail.KindArray {
				return list
			}
			for m := v.First(); m.Exists(); m = m.Next() {
				list = collect(list, m, path[2:])
			}
			return list
		}
		path = path[1:]
		stop := stepEnd(path)
		v, path = v.Get(path[:stop]), path[stop:]
	}
	return add(list, v)
}

// stepEnd is where the first step of a path ends.
func stepEnd(path string) int {
	for i := range len(path) {
		if path[i] == '.' || path[i] == '[' {
			return i
		}
	}
	return len(path)
}
