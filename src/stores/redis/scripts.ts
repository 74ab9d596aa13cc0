/**
 * What has to be decided where it is written. The server runs a script alone: nothing comes between what it reads and what it
 * writes. It writes only once nothing can fail any more, for nothing of it is undone.
 */
import { createHash } from "node:crypto";
import { statuses } from "./keys.ts";

export interface Script {
  readonly text: string;
  readonly sha1: string;
}

const script = (...parts: string[]): Script => {
  const text = ["#!lua", ...parts].join("\n");
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
};

/** The arguments, one after the other. */
const arguments_ = `
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end`;

/** Of a run, where indexes have it. Its hash remembers the places, for they say more than the run does afterwards. */
const placing = `
local function put(index, run, field, place)
  local old = redis.call('HGET', run, field)
  if old == place then return end
  if old then redis.call('ZREM', index, old) end
  if place then
    redis.call('ZADD', index, 0, place)
    redis.call('HSET', run, field, place)
  else
    redis.call('HDEL', run, field)
  end
end

local function putLease(index, run, id)
  local status, expires = unpack(redis.call('HMGET', run, 'status', 'expires'))
  put(index, run, 'by-lease', status == 'running' and expires .. ':' .. id)
end

local function putWord(index, run, id)
  local status, heard, sent = unpack(redis.call('HMGET', run, 'status', 'heard', 'sent'))
  if status == 'waiting' and tonumber(heard) < tonumber(sent or 0) then
    redis.call('ZADD', index, 0, id)
  else
    redis.call('ZREM', index, id)
  end
end

-- A primary that is no more may have granted the same fence to somebody else: who names the owner, where that is known.
local function owns(run, fence, who)
  local present, owner = unpack(redis.call('HMGET', run, 'fence', 'owner'))
  return owner and present == fence and (not who or owner == who)
end`;

/** The index of its status, for a script that has all of them; before the run's hash says another status or place. */
const sorting = `
local byStatus = { ${statuses.map((status, i) => `${status} = KEYS[${8 + i}]`).join(", ")} }

local function putStatus(run, status, place)
  local old, at = unpack(redis.call('HMGET', run, 'status', 'by-age'))
  if old and byStatus[old] and (old ~= status or at ~= place) then redis.call('ZREM', byStatus[old], at) end
  if byStatus[status] then redis.call('ZADD', byStatus[status], 0, place) end
end`;

/** Accounts whose versions were seen, and what becomes of them. Keys: accounts, their names, those with money held. */
const accounting = `
local function takeAccounts(accounts)
  local told = { stands = true, now = {}, changed = {} }
  for i = 1, tonumber(take()) do
    local scope, seen = take(), take()
    local body = redis.call('HGET', accounts, scope)
    told.now[i] = body
    if (body and string.match(body, '^%d+') or '0') ~= seen then told.stands = false end
  end
  for i = 1, tonumber(take()) do
    told.changed[i] = { scope = take(), holds = take(), body = take() }
  end
  return told
end

local function keepAccounts(told, accounts, scopes, held)
  for _, account in ipairs(told.changed) do
    redis.call('HSET', accounts, account.scope, account.body)
    redis.call('ZADD', scopes, 0, account.scope)
    redis.call(account.holds == '0' and 'SREM' or 'SADD', held, account.scope)
  end
end`;

/**
 * Adds appends. Answers `added` and a digit for each, 1 for what was added; `misplaced`, the run, the seq and the one that was
 * expected; or `again`, the digits and the accounts as they are now: others have changed what was decided on.
 *
 * Keys: the indexes, condemned, accounts (3), then of each append its run, its journal and its values.
 */
export const commit = script(
  arguments_,
  placing,
  sorting,
  accounting,
  `
local age, change, ids, wake, lease, word, pipeline = unpack(KEYS, 1, 7)
local condemned, accounts, scopes, held = unpack(KEYS, 14, 17)
local key = 17
local function takeKey()
  key = key + 1
  return KEYS[key]
end

local assumed = take()
local told = takeAccounts(accounts)
local appends, digits, next = {}, {}, {}
local gap
for i = 1, tonumber(take()) do
  local one = { run = takeKey(), journal = takeKey(), id = take(), values = {} }
  one.isOwned = owns(one.run, take())
  digits[i] = one.isOwned and '1' or '0'
  local first = tonumber(take())
  one.count = tonumber(take())
  one.at = at
  at = at + one.count
  for j = 1, tonumber(take()) do
    one.values[j] = { key = takeKey(), hash = take(), text = take() }
  end
  if take() == '1' then
    one.summary = {
      body = take(), status = take(), heard = take(), age = take(), change = take(), pipeline = take(), wake = take()
    }
  end
  if one.isOwned and one.count > 0 then
    local expected = next[one.run] or redis.call('LLEN', one.journal)
    if first ~= expected and not gap then gap = { 'misplaced', one.id, first, expected } end
    next[one.run] = first + one.count
  end
  appends[i] = one
end
local added = table.concat(digits)
if gap then return gap end
if not told.stands or (assumed ~= '' and assumed ~= added) then return { 'again', added, told.now } end

local hasMarks = redis.call('EXISTS', condemned) == 1
for _, one in ipairs(appends) do
  if one.isOwned then
    for from = 1, one.count, 1000 do
      local to = math.min(from + 999, one.count)
      redis.call('RPUSH', one.journal, unpack(ARGV, one.at + from, one.at + to))
    end
    for _, value in ipairs(one.values) do
      redis.call('SET', value.key, value.text, 'NX')
      if hasMarks then
        redis.call('ZREMRANGEBYLEX', condemned, '[' .. value.hash .. '\\0', '(' .. value.hash .. '\\1')
      end
    end
    local summary = one.summary
    if summary then
      putStatus(one.run, summary.status, summary.age)
      redis.call('HSET', one.run, 'summary', summary.body, 'status', summary.status, 'heard', summary.heard)
      redis.call('ZADD', ids, 0, one.id)
      put(age, one.run, 'by-age', summary.age)
      put(change, one.run, 'by-change', summary.change)
      put(pipeline, one.run, 'by-pipeline', summary.pipeline)
      put(wake, one.run, 'by-wake', summary.wake ~= '' and summary.wake)
      putLease(lease, one.run, one.id)
      putWord(word, one.run, one.id)
    end
  end
end
keepAccounts(told, accounts, scopes, held)
return { 'added', added }`,
);

/**
 * Keeps what a request has made of accounts. Answers `kept`; `fenced`; or `again` and the accounts as they are now.
 * Keys: accounts (3), and the run that has to own its lease, if any has.
 */
export const settle = script(
  arguments_,
  placing,
  accounting,
  `
local told = takeAccounts(KEYS[1])
if KEYS[4] and not owns(KEYS[4], take()) then return { 'fenced' } end
if not told.stands then return { 'again', told.now } end
keepAccounts(told, KEYS[1], KEYS[2], KEYS[3])
return { 'kept' }`,
);

/** Makes a run. 0: there is one. Keys: the run. */
export const make = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'owner', ARGV[2], 'expires', ARGV[3])
return 1`);

/** Takes a lease, if the one that was seen still stands. Keys: the run, the index by lease. */
export const seize = script(
  placing,
  `
local run, index = unpack(KEYS)
local id, seenFence, seenExpires, fence, owner, expires = unpack(ARGV)
local present, until_ = unpack(redis.call('HMGET', run, 'fence', 'expires'))
if present ~= seenFence or until_ ~= seenExpires then return 0 end
redis.call('HSET', run, 'fence', fence, 'owner', owner, 'expires', expires)
putLease(index, run, id)
return 1`,
);

/** Extends a lease. 0: it is not the newest, or was given back. Keys: the run, the index by lease. */
export const renew = script(
  placing,
  `
local run, index = unpack(KEYS)
local id, fence, who, expires = unpack(ARGV)
if not owns(run, fence, who) then return 0 end
redis.call('HSET', run, 'expires', expires)
putLease(index, run, id)
return 1`,
);

/**
 * Gives a lease back, and tells of a run that has not ended and wants somebody, now or at a moment of its own. A user may have no
 * leave to tell: then it is found. Keys: the run, the index by lease.
 */
export const release = script(
  placing,
  `
local run, index = unpack(KEYS)
local id, fence, who, expires, news = unpack(ARGV)
if not owns(run, fence, who) then return 0 end
redis.call('HDEL', run, 'owner')
redis.call('HSET', run, 'expires', expires)
putLease(index, run, id)
local status, wake, heard, sent = unpack(redis.call('HMGET', run, 'status', 'by-wake', 'heard', 'sent'))
if status == 'running' or wake or (status == 'waiting' and tonumber(heard) < tonumber(sent or 0)) then
  redis.pcall('PUBLISH', news, id)
end
return 1`,
);

/** Keeps a signal, once, and tells of it. 0: there is no such run. Keys: the run, its signals, the ids of what was sent, the index by word. */
export const send = script(
  placing,
  `
local run, signals, sent, index = unpack(KEYS)
local id, signalId, body, news = unpack(ARGV)
if redis.call('EXISTS', run) == 0 then return 0 end
if redis.call('SADD', sent, signalId) == 1 then
  redis.call('RPUSH', signals, body)
  redis.call('HINCRBY', run, 'sent', 1)
  putWord(index, run, id)
  redis.pcall('PUBLISH', news, id)
end
return 1`,
);

/** Removes a run. 0: the lease is not its present one, or it was sent more signals than that. Keys: the indexes, then all that is the run's. */
export const drop = script(
  placing,
  sorting,
  `
local age, change, ids, wake, lease, word, pipeline = unpack(KEYS, 1, 7)
local run, signals = KEYS[14], KEYS[16]
local id, fence, who, heard = unpack(ARGV)
if not owns(run, fence, who) or redis.call('LLEN', signals) > tonumber(heard) then return 0 end
putStatus(run, '', '')
put(age, run, 'by-age', false)
put(change, run, 'by-change', false)
put(pipeline, run, 'by-pipeline', false)
put(wake, run, 'by-wake', false)
put(lease, run, 'by-lease', false)
redis.call('ZREM', ids, id)
redis.call('ZREM', word, id)
redis.call('UNLINK', unpack(KEYS, 14))
return 1`,
);

/**
 * Removes those values that bear their mark still, and the marks of those that are spared. How many were removed. Keys:
 * condemned, then the values; of each its mark and whether it is spared.
 */
export const execute = script(`
local removed = 0
for i = 2, #KEYS do
  local mark, isSpared = ARGV[2 * i - 3], ARGV[2 * i - 2] == '1'
  if redis.call('ZREM', KEYS[1], mark) == 1 and not isSpared then
    removed = removed + redis.call('UNLINK', KEYS[i])
  end
end
return removed`);

/** The first so many of a range in each of the indexes. Keys: the indexes; of each the two ends of its range. */
export const page = script(
  arguments_,
  `
local size, isBackwards = take(), take() == '1'
local pages = {}
for i, index in ipairs(KEYS) do
  local from, to = take(), take()
  pages[i] = isBackwards and redis.call('ZRANGE', index, from, to, 'BYLEX', 'REV', 'LIMIT', 0, size)
    or redis.call('ZRANGE', index, from, to, 'BYLEX', 'LIMIT', 0, size)
end
return pages`,
);

/**
 * Puts runs into the index by pipeline that are not in it, if each still has the place by age that was seen. Keys: the index, the
 * runs; of each that place and its pipeline's head.
 */
export const sort = script(
  arguments_,
  placing,
  `
for i = 2, #KEYS do
  local at, head = take(), take()
  local present, known = unpack(redis.call('HMGET', KEYS[i], 'by-age', 'by-pipeline'))
  if present == at and not known then put(KEYS[1], KEYS[i], 'by-pipeline', head .. at) end
end
return 0`,
);

/** Takes those places out of the index by pipeline that their runs do not have. Keys: the index, the runs; of each its place. */
export const weed = script(`
for i = 2, #KEYS do
  local at = ARGV[i - 1]
  if redis.call('HGET', KEYS[i], 'by-pipeline') ~= at then redis.call('ZREM', KEYS[1], at) end
end
return 0`);

/** Raises the format, unless it is that high. Keys: the format. */
export const raise = script(`
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 0`);

/** Notes of a range, keys and bodies in turn. Keys: notes, their keys in order. */
export const notes = script(`
local found = {}
for _, key in ipairs(redis.call('ZRANGE', KEYS[2], ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[3])) do
  found[#found + 1] = key
  found[#found + 1] = redis.call('HGET', KEYS[1], key)
end
return found`);

const seenNote = `
local key, seen = ARGV[1], ARGV[2]
local body = redis.call('HGET', KEYS[1], key)
if (body and string.match(body, '^%S+') or '') ~= seen then return 0 end`;

/** Writes a note, if the version that was seen still stands; none is the empty one. Keys: notes, their keys in order. */
export const putNote = script(
  seenNote,
  `
redis.call('HSET', KEYS[1], key, ARGV[3])
redis.call('ZADD', KEYS[2], 0, key)
return 1`,
);

export const dropNote = script(
  seenNote,
  `
redis.call('HDEL', KEYS[1], key)
redis.call('ZREM', KEYS[2], key)
return 1`,
);
