/**
 * `counters.ts` in Lua, for Redis: one call for everything a request demands. KEYS are the keys of the demands; ARGV holds the
 * time ('' for Redis's own), the request's id, then six words a demand: kind, limit, window, amount, least, member or group.
 * Exact events are sorted sets by time, parts are hashes, members and places sorted sets by time.
 */
const COMMON = `
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local EXACT, PARTS = 1000, 128
local function partOf(now, window) return math.floor(now * PARTS / window) end
local function whole(number) return string.format('%.0f', number) end
local function keep(key, span) redis.call('PEXPIRE', key, whole(span + 60000)) end
`;

/** Refused by a Redis that is full: what cannot be counted is not let through (Redis 7, script flags). */
export const RESERVE = `#!lua
${COMMON}
local now, id = clock(ARGV[1]), ARGV[2]

local function demandAt(index)
  local at = 3 + (index - 1) * 6
  return {
    key = KEYS[index], kind = ARGV[at], limit = tonumber(ARGV[at + 1]), window = tonumber(ARGV[at + 2]),
    amount = tonumber(ARGV[at + 3]), least = tonumber(ARGV[at + 4]), name = ARGV[at + 5],
  }
end

local function exactRoom(d)
  redis.call('ZREMRANGEBYSCORE', d.key, '-inf', whole(now - d.window))
  local count = redis.call('ZCARD', d.key)
  local left = math.max(0, d.limit - count)
  if left > 0 then return left, 0 end
  local blocking = redis.call('ZRANGE', d.key, count - d.limit, count - d.limit, 'WITHSCORES')
  return left, tonumber(blocking[2]) + d.window - now
end

local function partsRoom(d)
  local oldest = partOf(now, d.window) - PARTS
  local all, sum, parts = redis.call('HGETALL', d.key), 0, {}
  for i = 1, #all, 2 do
    local part, amount = tonumber(all[i]), tonumber(all[i + 1])
    if part < oldest then redis.call('HDEL', d.key, all[i])
    else
      sum = sum + amount
      parts[#parts + 1] = { part, amount }
    end
  end
  local left = math.max(0, d.limit - sum)
  if left >= d.least then return left, 0 end
  table.sort(parts, function(a, b) return a[1] < b[1] end)
  for _, each in ipairs(parts) do
    sum = sum - each[2]
    if d.limit - sum >= d.least then return left, math.ceil((each[1] + PARTS + 1) * d.window / PARTS) - now end
  end
  return left, d.window
end

local function distinctRoom(d)
  redis.call('ZREMRANGEBYSCORE', d.key, '-inf', whole(now - d.window))
  local count = redis.call('ZCARD', d.key)
  local left = math.max(0, d.limit - count)
  if left > 0 or redis.call('ZSCORE', d.key, d.name) then return left, 0 end
  local blocking = redis.call('ZRANGE', d.key, count - d.limit, count - d.limit, 'WITHSCORES')
  return left, tonumber(blocking[2]) + d.window - now
end

local function liveRoom(d)
  redis.call('ZREMRANGEBYSCORE', d.key, '-inf', whole(now))
  local left = math.max(0, d.limit - redis.call('ZCARD', d.key))
  if left > 0 or redis.call('ZSCORE', d.key, id) then return left, 0 end
  return left, 1000
end

local function roomFor(d)
  if d.kind == 'place' then return liveRoom(d) end
  if d.kind == 'member' then return distinctRoom(d) end
  if d.kind == 'event' and d.limit <= EXACT then return exactRoom(d) end
  return partsRoom(d)
end

local demands, amounts = {}, {}
for index = 1, #KEYS do
  local d = demandAt(index)
  local left, wait = roomFor(d)
  if wait > 0 then return { 0, index, whole(left), whole(wait) } end
  if d.kind == 'amount' then
    local most = math.min(d.amount, left)
    amounts[d.name] = math.min(most, amounts[d.name] or most)
  end
  demands[index] = d
end

local function give(d)
  if d.kind == 'place' then
    redis.call('ZADD', d.key, whole(now + d.window), id)
    keep(d.key, d.window)
    return 1, now
  end
  if d.kind == 'member' then
    local before = tonumber(redis.call('ZSCORE', d.key, d.name) or -1)
    redis.call('ZADD', d.key, whole(math.max(before, now)), d.name)
    keep(d.key, d.window)
    return 1, before
  end
  if d.kind == 'event' and d.limit <= EXACT then
    redis.call('ZADD', d.key, whole(now), id)
    keep(d.key, d.window)
    return 1, now
  end
  local amount, part = d.kind == 'event' and 1 or amounts[d.name], partOf(now, d.window)
  if amount > 0 then redis.call('HINCRBY', d.key, whole(part), whole(amount)) end
  keep(d.key, d.window)
  return amount, part
end

local answer = { 1, whole(now) }
for _, d in ipairs(demands) do
  local amount, mark = give(d)
  answer[#answer + 1] = whole(amount)
  answer[#answer + 1] = whole(mark)
end
return answer
`;

/** ARGV: the request's id, then five words a return: kind (`exact`, `parts`, `member`, `place`), amount, mark, at, member. */
export const GIVE_BACK = `#!lua flags=allow-oom
local id = ARGV[1]
for index = 1, #KEYS do
  local at = 2 + (index - 1) * 5
  local key, kind, amount, mark, given, member = KEYS[index], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  if kind == 'place' or kind == 'exact' then redis.call('ZREM', key, id)
  elseif kind == 'member' then
    if tonumber(redis.call('ZSCORE', key, member) or -1) == tonumber(given) then
      if mark == '-1' then redis.call('ZREM', key, member) else redis.call('ZADD', key, mark, member) end
    end
  elseif redis.call('HINCRBY', key, mark, string.format('%.0f', -tonumber(amount))) <= 0 then redis.call('HDEL', key, mark) end
end
return 1
`;

/** ARGV: the time ('' for Redis's own), the request's id, then the lifetime of each place. */
export const RENEW = `#!lua flags=allow-oom
${COMMON}
local now, id = clock(ARGV[1]), ARGV[2]
for index = 1, #KEYS do
  local lifetime = tonumber(ARGV[2 + index])
  redis.call('ZADD', KEYS[index], whole(now + lifetime), id)
  keep(KEYS[index], lifetime)
end
return 1
`;
