#include "probe/timetable.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace parallax {
namespace {

Order order_of(int services) {
  Order order;
  order.run_id = "01JCZZZZZZ0000000000000001";
  order.round_id = "round-1";
  for (int i = 0; i < services; ++i) {
    Service service;
    service.name = "s" + std::to_string(i);
    service.provider = i % 2 == 0 ? "even" : "odd";
    order.services.push_back(service);
  }
  order.providers = {Provider{.name = "even", .queries_per_second = 2}, Provider{.name = "odd"}};
  return order;
}

TEST(Timetable, SpacesTheQueriesOfAProviderAndCoversEachPairOnce) {
  const auto tables = make_timetable(order_of(5), 4);
  ASSERT_EQ(tables.size(), 2U);
  std::set<std::int64_t> sequences;
  for (const ProviderTimetable& table : tables) {
    for (std::size_t i = 0; i < table.queries.size(); ++i) {
      const PlannedQuery& query = table.queries[i];
      EXPECT_EQ(query.offset, static_cast<std::int64_t>(i) * table.interval);
      EXPECT_EQ(query.sequence, static_cast<std::int64_t>(query.service * 4 + query.cone));
      EXPECT_FALSE(query.latest_start);
      sequences.insert(query.sequence);
    }
  }
  EXPECT_EQ(sequences.size(), 20U);
  EXPECT_EQ(tables[0].interval, Millis(500));
  EXPECT_EQ(tables[0].queries.size(), 12U);
}

TEST(Timetable, AsksOneServiceAfterAnother) {
  for (const ProviderTimetable& table : make_timetable(order_of(6), 5)) {
    std::vector<std::size_t> services;
    for (const PlannedQuery& query : table.queries) {
      if (services.empty() || services.back() != query.service) {
        services.push_back(query.service);
      }
    }
    EXPECT_EQ(services.size(), 3U);
  }
}

std::vector<std::int64_t> sequence_order(const Order& order) {
  std::vector<std::int64_t> result;
  for (const ProviderTimetable& table : make_timetable(order, 6)) {
    for (const PlannedQuery& query : table.queries) {
      result.push_back(query.sequence);
    }
  }
  return result;
}

TEST(Timetable, DrawsTheOrderFromTheRoundSoThatItsVantagesAgree) {
  Order order = order_of(6);
  const auto first = sequence_order(order);
  order.run_id = "01JCZZZZZZ0000000000000002";
  EXPECT_EQ(sequence_order(order), first);
  order.round_id = "round-2";
  EXPECT_NE(sequence_order(order), first);
  order.round_id.clear();
  const auto by_run = sequence_order(order);
  order.run_id = "01JCZZZZZZ0000000000000003";
  EXPECT_NE(sequence_order(order), by_run);
}

TEST(Timetable, AsksInBothModesAndOnPairsOfConnectionsUnderNumbersThatDoNotDependOnTheService) {
  Order order = order_of(2);
  order.connection = ConnectionSeries::pair;
  order.services[1].type = ServiceType::tap;
  order.services[1].mode = TapMode::both;
  ASSERT_EQ(variants_of(order), 4U);
  std::map<std::int64_t, std::pair<TapMode, ConnectionSeries>> asked;
  for (const ProviderTimetable& table : make_timetable(order, 3)) {
    for (const PlannedQuery& query : table.queries) {
      EXPECT_EQ(query.sequence / 4, static_cast<std::int64_t>(query.service * 3 + query.cone));
      EXPECT_TRUE(asked.emplace(query.sequence, std::pair(query.mode, query.connection)).second);
    }
  }
  EXPECT_EQ(asked.size(), 3U * 2 + 3U * 4);
  EXPECT_EQ(asked.at(0), std::pair(TapMode::sync, ConnectionSeries::cold));
  EXPECT_EQ(asked.at(1), std::pair(TapMode::sync, ConnectionSeries::warm));
  EXPECT_FALSE(asked.contains(2));
  EXPECT_EQ(asked.at(3 * 4 + 2), std::pair(TapMode::async, ConnectionSeries::cold));
  EXPECT_EQ(asked.at(3 * 4 + 3), std::pair(TapMode::async, ConnectionSeries::warm));
}

TEST(Timetable, NoTwoVantagesHaveTheirTurnAtAProviderAtTheSameTime) {
  std::set<std::pair<std::size_t, std::int64_t>> turns;
  for (int position = 0; position < 3; ++position) {
    Order order = order_of(4);
    order.vantages = 3;
    order.position = position;
    order.turn = Seconds(60);
    order.start_offset = Seconds(5);
    const auto tables = make_timetable(order, 2);
    for (std::size_t p = 0; p < tables.size(); ++p) {
      const PlannedQuery& first = tables[p].queries.front();
      EXPECT_EQ(first.offset, Seconds(5) + Seconds(60) * ((position + static_cast<int>(p)) % 3));
      EXPECT_EQ(first.latest_start, first.offset + Seconds(60));
      EXPECT_TRUE(turns.insert({p, first.offset.count()}).second);
    }
  }
}

TEST(Timetable, ASimultaneousProviderHasNoTurns) {
  Order order = order_of(1);
  order.providers[0].simultaneous = true;
  order.vantages = 3;
  order.position = 2;
  order.turn = Seconds(60);
  const PlannedQuery query = make_timetable(order, 1)[0].queries[0];
  EXPECT_EQ(query.offset, Micros(0));
  EXPECT_FALSE(query.latest_start);
}

}  // namespace
}  // namespace parallax
