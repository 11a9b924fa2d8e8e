-- guess.lua MODE: "spread" guesses at another account from another address each time, so that each
-- guess is hashed; "ipv6" does so from another /64 each time; "one" guesses at one account from one
-- address, so that most are refused.
local b = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
local function base64(s)
  return ((s:gsub('.', function(x)
    local r, c = '', x:byte()
    for i = 8, 1, -1 do r = r .. (c % 2 ^ i - c % 2 ^ (i - 1) > 0 and '1' or '0') end
    return r
  end) .. '0000'):gsub('%d%d%d?%d?%d?%d?', function(x)
    if #x < 6 then return '' end
    local c = 0
    for i = 1, 6 do c = c + (x:sub(i, i) == '1' and 2 ^ (6 - i) or 0) end
    return b:sub(c + 1, c + 1)
  end) .. ({ '', '==', '=' })[#s % 3 + 1])
end
local mode, n, codes = 'spread', 0, {}
function init(args)
  mode = args[1] or mode
  math.randomseed(os.time())
end
function request()
  n = n + 1
  local who, from = 'victim@example.org', '203.0.113.1'
  if mode ~= 'one' then
    who = ('u%d-%d@example.org'):format(math.random(1e9), n)
    from = ('%d.%d.%d.%d'):format(math.random(11, 200), math.random(0, 255), math.random(0, 255), math.random(1, 254))
  end
  if mode == 'ipv6' then
    from = ('2001:db8:%x:%x::1'):format(math.random(0, 65535), math.random(0, 65535))
  end
  return wrk.format('POST', '/login', { ['Authorization'] = 'Basic ' .. base64(who .. ':wrong'), ['X-Forwarded-For'] = from, ['Content-Length'] = '0' }, '')
end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function response(status) codes[status] = (codes[status] or 0) + 1; counts = '' for k, v in pairs(codes) do counts = counts .. k .. ':' .. v .. ' ' end end
function done() for _, t in ipairs(threads) do io.write('answers ', t:get('counts') or '', '\n') end end
